/* listen_address.h - an operator's addresses to listen on.
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

/* Access to a Unix socket: the mode, owner and group of its file. */
struct listen_access {
	bool has_mode;
	mode_t mode; /* else: as umask(2) allows */
	bool has_owner;
	uid_t owner; /* else: the process's own */
	bool has_group;
	gid_t group; /* else: the process's own */
};

struct listen_address {
	struct sockaddr_storage addr;
	socklen_t len;
	/* Of a Unix socket: the access given after its path. */
	struct listen_access access;
};

/* false: text is not such an address; out_why has a sentence without a full
 * stop that shows the correct form. */
bool listen_address_parse(const char *text, struct listen_address *out,
    char out_why[LISTEN_WHY_SIZE]);

/* The same with "http://" or "https://" before a TCP address. */
bool listen_url_parse(const char *text, struct listen_address *out,
    bool *out_is_tls, char out_why[LISTEN_WHY_SIZE]);

/* The two values that may follow a path, each alone: three or four octal digits
 * as for chmod(1), and a group by name or number.  false: it is not valid, and
 * *access is unchanged. */
bool listen_access_set_mode(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE]);
bool listen_access_set_group(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE]);

/* access, with its missing values taken from others; but a group that access
 * gives without a mode is always let in. */
struct listen_access listen_access_or(
    const struct listen_access *access, const struct listen_access *others);

#endif
