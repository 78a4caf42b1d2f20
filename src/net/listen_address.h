/* listen_address.h - where to listen, as an operator writes it.
 *
 * Floor: net.  Main thread: group names are looked up.
 *
 *	127.0.0.1:8080
 *	[::1]:8080
 *	unix:/run/peerpost/http.sock
 *	unix:/run/peerpost/http.sock,mode=0660,group=www-data
 */
#ifndef PEERPOST_NET_LISTEN_ADDRESS_H
#define PEERPOST_NET_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/refuse.h"

#define LISTEN_WHY_SIZE REFUSE_WHY_SIZE

/* Who may connect to a Unix socket: its file's mode, owner and group. */
struct listen_access {
	bool has_mode;
	mode_t mode; /* else: what umask(2) leaves */
	bool has_owner;
	uid_t owner; /* else: the process's own */
	bool has_group;
	gid_t group; /* else: the process's own */
};

struct listen_address {
	struct sockaddr_storage addr;
	socklen_t len;
	/* Of a Unix socket: what is written behind its path. */
	struct listen_access access;
};

/* false: text is no such address; out_why has a sentence without a full stop
 * that says what would be right. */
bool listen_address_parse(const char *text, struct listen_address *out,
    char out_why[LISTEN_WHY_SIZE]);

/* The same with "http://" or "https://" in front of an address of TCP. */
bool listen_url_parse(const char *text, struct listen_address *out,
    bool *out_is_tls, char out_why[LISTEN_WHY_SIZE]);

/* The two that follow a path, alone: three or four octal digits as chmod(1)
 * takes them, and a group by name or number.  false: it is none, and *access is
 * as it was. */
bool listen_access_set_mode(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE]);
bool listen_access_set_group(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE]);

/* What access says, and where it says nothing, what others say; but a group
 * that access has without a mode is let in, whatever they say. */
struct listen_access listen_access_or(
    const struct listen_access *access, const struct listen_access *others);

#endif
