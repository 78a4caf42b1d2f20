/* privileges.c - see privileges.h. */
#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
identity_is_other(const struct identity *identity)
{
	return identity->has_user &&
	    (geteuid() != identity->uid || getegid() != identity->gid);
}

static int
set_groups(const struct identity *identity)
{
	return identity->name[0] ? initgroups(identity->name, identity->gid) :
				   setgroups(1, &identity->gid);
}

/* Verify everything: the saved ids and the capabilities matter as well. */
static bool
has_dropped(const struct identity *identity)
{
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;

	if (getresuid(&uid, &euid, &suid) < 0 ||
	    getresgid(&gid, &egid, &sgid) < 0)
		return false;
	if (uid != identity->uid || euid != identity->uid ||
	    suid != identity->uid || gid != identity->gid ||
	    egid != identity->gid || sgid != identity->gid)
		return false;
	return identity->uid == 0 ||
	    (setuid(0) < 0 && (identity->gid == 0 || setgid(0) < 0));
}

bool
drop_privileges(const struct identity *identity, char *out_why, size_t why_size)
{
	if (!identity_is_other(identity))
		return true;
	if (geteuid() != 0) {
		snprintf(
		    out_why, why_size, "only root can change to another user");
		return false;
	}
	/* The groups first: afterwards it is not permitted. */
	if (set_groups(identity) < 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) < 0) {
		snprintf(out_why, why_size, "%s", strerror(errno));
		return false;
	}
	if (!has_dropped(identity)) {
		snprintf(
		    out_why, why_size, "the old privileges could be regained");
		return false;
	}
	return true;
}
