/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock: giving up all access to files, TCP ports, abstract sockets and
 * other people's processes, as far as the running kernel knows how.
 *
 * The layout and the numbers are the kernel's (Documentation/userspace-api/
 * landlock.rst); they stand here because the headers of an older system end
 * at the ABI of its own kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/impl.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define ASK_VERSION 1u
#define PATH_BENEATH 1u
/* Rights of a file, and of what is in a directory. */
#define EXECUTE (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define IOCTL_DEV (UINT64_C(1) << 15)

/* struct landlock_ruleset_attr, as of ABI 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* struct landlock_path_beneath_attr. */
struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What each ABI added: how many rights there are in each word since. */
static const struct {
	int abi;
	unsigned fs, net, scoped;
	size_t size;            /* of the structure that ABI knows */
} versions[] = {
	{ 1, 13, 0, 0, offsetof(struct ruleset, net) },
	{ 2, 14, 0, 0, offsetof(struct ruleset, net) },         /* refer */
	{ 3, 15, 0, 0, offsetof(struct ruleset, net) },         /* truncate */
	{ 4, 15, 2, 0, offsetof(struct ruleset, scoped) },      /* bind, connect */
	{ 5, 16, 2, 0, offsetof(struct ruleset, scoped) },      /* device ioctl */
	{ 6, 16, 2, 2, sizeof(struct ruleset) },        /* socket, signal */
};

int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static uint64_t
all_of(unsigned rights)
{
	return (UINT64_C(1) << rights) - 1;
}

/* All that the kernel knows of is denied, but for what @fd is told later; -1
 * where it has no Landlock. */
static struct err *
ruleset_make(int *fd, struct ruleset *out)
{
	int abi = landlock_abi();
	size_t i = countof(versions);

	*fd = -1;
	while (i > 0 && versions[i - 1].abi > abi)
		i--;
	if (i == 0)
		return NULL;
	*out = (struct ruleset){
		.fs = all_of(versions[i - 1].fs),
		.net = all_of(versions[i - 1].net),
		.scoped = all_of(versions[i - 1].scoped),
	};
	*fd = (int)syscall(SYS_landlock_create_ruleset, out,
			   versions[i - 1].size, 0);
	return *fd < 0 ? err_errno("cannot make a Landlock ruleset") : NULL;
}

static struct err *
ruleset_enter(int fd)
{
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_errno("cannot restrict itself with Landlock");
	return NULL;
}

struct err *
landlock_deny(void)
{
	struct ruleset rules;
	_close_ int fd = -1;

	struct err *err = ruleset_make(&fd, &rules);
	return err || fd < 0 ? err : ruleset_enter(fd);
}

/* ---- what is allowed all the same ---- */

static const uint64_t uses[] = {
	[LANDLOCK_READ] = READ_FILE | READ_DIR,
	[LANDLOCK_RUN] = READ_FILE | EXECUTE,
	[LANDLOCK_TALK] = READ_FILE | WRITE_FILE | IOCTL_DEV,
};

static struct err *
ruleset_allow(int fd, const struct ruleset *rules,
	      const struct landlock_path *p)
{
	_close_ int place = open(p->path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0)
		return NULL;
	struct beneath b = { uses[p->use] & rules->fs, place };
	if (!S_ISDIR(st.st_mode))
		b.allowed &= ~READ_DIR;
	if (syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &b, 0) < 0)
		return err_errno("cannot allow %s with Landlock", p->path);
	return NULL;
}

struct err *
landlock_allow(const struct landlock_path *paths, size_t n)
{
	struct ruleset rules;
	_close_ int fd = -1;

	struct err *err = ruleset_make(&fd, &rules);
	if (!err && fd < 0)
		return err_new(ERR_UNSUPPORTED, "this kernel has no Landlock "
			       "to keep files from a program");
	for (size_t k = 0; k < n && !err; k++)
		err = ruleset_allow(fd, &rules, &paths[k]);
	return err ? err : ruleset_enter(fd);
}
