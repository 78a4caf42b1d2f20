/* identity.c - see identity.h. */
#include "config/identity.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/text.h"

bool
identity_set_user(struct identity *identity, const char *text)
{
	const struct passwd *user = getpwnam(text);
	uint64_t number = 0;

	/* The greatest number means "unchanged" to the kernel. */
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
		return "--user with a number that belongs to no user needs "
		       "a --group";
	return NULL;
}
