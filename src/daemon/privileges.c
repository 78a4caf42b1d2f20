/* privileges.c - see privileges.h. */
#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

bool
identity_set_user(struct identity *identity, const char *text)
{
	const struct passwd *user = getpwnam(text);
	uint64_t number = 0;

	/* The greatest number means "leave it" to the kernel. */
	if (!user) {
		if (!text_to_uint(span_of(text), UINT32_MAX - 1, &number))
			return false;
		user = getpwuid((uid_t)number);
	}
	identity->has_user = true;
	identity->uid = user ? user->pw_uid : (uid_t)number;
	identity->name[0] = '\0';
	if (!user)
		return true;
	if (!identity->has_group)
		identity->gid = user->pw_gid;
	if (strlen(user->pw_name) >= sizeof(identity->name))
		return false;
	strcpy(identity->name, user->pw_name);
	return true;
}

bool
identity_set_group(struct identity *identity, const char *text)
{
	const struct group *group = getgrnam(text);
	uint64_t number = 0;

	if (!group && !text_to_uint(span_of(text), UINT32_MAX - 1, &number))
		return false;
	identity->has_group = true;
	identity->gid = group ? group->gr_gid : (gid_t)number;
	return true;
}

const char *
identity_find_fault(const struct identity *identity)
{
	if (identity->has_group && !identity->has_user)
		return "--group needs a --user";
	if (identity->has_user && !identity->has_group && !identity->name[0])
		return "--user with a number that no user has needs a --group";
	return NULL;
}

bool
identity_is_other(const struct identity *identity)
{
	return identity->has_user &&
	    (geteuid() != identity->uid || getegid() != identity->gid);
}

static int
take_on_groups(const struct identity *identity)
{
	return identity->name[0] ? initgroups(identity->name, identity->gid) :
				   setgroups(1, &identity->gid);
}

/* Believe nobody: the saved ids and the capabilities count as well. */
static bool
is_taken_on(const struct identity *identity)
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
identity_take_on(
    const struct identity *identity, char *out_why, size_t why_size)
{
	if (!identity_is_other(identity))
		return true;
	if (geteuid() != 0) {
		snprintf(out_why, why_size, "only root can become another");
		return false;
	}
	/* The groups first: afterwards there is no right to. */
	if (take_on_groups(identity) < 0 ||
	    setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) < 0) {
		snprintf(out_why, why_size, "%s", strerror(errno));
		return false;
	}
	if (!is_taken_on(identity)) {
		snprintf(out_why, why_size, "there is a way back");
		return false;
	}
	return true;
}
