/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home.c: the default store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/home.h"

static const char *
home_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct err *
home_dir(const char *given, char **out)
{
	const char *data = home_variable("XDG_DATA_HOME");
	const char *home = home_variable("HOME");
	int n = 0;

	*out = NULL;
	if (!given)
		given = home_variable("INQUEST_STORE");
	/* XDG Base Directory Specification: a relative one is ignored. */
	if (given)
		*out = strdup(given);
	else if (data && *data == '/')
		n = asprintf(out, "%s/" PROGRAM, data);
	else if (home)
		n = asprintf(out, "%s/.local/share/" PROGRAM, home);
	else
		return err_new(ERR_USAGE, "there is no home directory to keep "
			       "a store in; name one with INQUEST_STORE");
	if (n >= 0 && *out)
		return NULL;
	*out = NULL;
	return err_nomem();
}

/* Make what is missing above @dir, for its owner only. */
static struct err *
home_make_parents(const char *dir)
{
	_free_ char *path = strdup(dir);

	if (!path)
		return err_nomem();
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_errno("cannot make the directory %s", path);
		*at = '/';
	}
	return NULL;
}

struct err *
home_open(const char *given, bool create, struct store **out)
{
	const struct store_options options = { .create = create };
	_free_ char *dir = NULL;
	struct err *err = home_dir(given, &dir);

	if (!err && create && *dir == '/')
		err = home_make_parents(dir);
	return err ? err : store_open(dir, &options, out);
}

static bool
home_is_own(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode)
	       && st.st_uid == geteuid();
}

int
home_open_own(const char *path)
{
	struct stat st;
	_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW
				     | O_CLOEXEC);

	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid()
	    || (st.st_mode & 022))
		return -1;
	int own = dir;
	dir = -1;
	return own;
}

bool
home_cache(char **out)
{
	const char *given = getenv("INQUEST_CACHE");
	const char *cache = home_variable("XDG_CACHE_HOME");
	const char *home = home_variable("HOME");
	int n = -1;

	if (given)
		n = *given ? asprintf(out, "%s", given) : -1;
	else if (cache && *cache == '/' && home_is_own(cache))
		n = asprintf(out, "%s/" PROGRAM, cache);
	else if (home && *home == '/' && home_is_own(home))
		n = asprintf(out, "%s/.cache/" PROGRAM, home);
	if (n < 0) {
		*out = NULL;
		return false;
	}
	_err_ struct err *unmade = home_make_parents(*out);
	(void)mkdir(*out, 0700);
	return true;
}

struct err *
home_check_name(const char *what, const char *name)
{
	if (store_name_ok(name))
		return NULL;
	return err_new(ERR_USAGE, "\"%.80s\" is no name for a %s: letters, "
		       "digits, \"_\", \"-\" and \".\", at most %d of them, "
		       "beginning with none of the last two", name, what,
		       STORE_NAME_MAX);
}
