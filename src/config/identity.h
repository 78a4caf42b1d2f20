/* identity.h - the user that the daemon runs as.
 *
 * Floor: config.  Main thread, before any other starts.
 */
#ifndef PEERPOST_CONFIG_IDENTITY_H
#define PEERPOST_CONFIG_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define IDENTITY_NAME_SIZE 64

/* Zeroed: stay the current user. */
struct identity {
	bool has_user, has_group;
	uid_t uid;
	gid_t gid;
	/* The user whose supplementary groups are used; "": the uid has no
	 * user, so there are none. */
	char name[IDENTITY_NAME_SIZE];
};

/* Look up a user or a group, by name or by number.  The user's own group is
 * used unless another is given.  false: there is no such user or group. */
bool identity_set_user(struct identity *identity, const char *text);
bool identity_set_group(struct identity *identity, const char *text);

/* The conflict between them, as a sentence without a full stop; or NULL. */
const char *identity_find_fault(const struct identity *identity);

#endif
