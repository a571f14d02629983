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
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/impl.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

#define ASK_VERSION 1u

/* struct landlock_ruleset_attr, as of ABI 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

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

struct err *
landlock_deny(void)
{
	int abi = landlock_abi();
	size_t i = countof(versions);

	while (i > 0 && versions[i - 1].abi > abi)
		i--;
	if (i == 0)
		return NULL;
	struct ruleset rules = {
		.fs = all_of(versions[i - 1].fs),
		.net = all_of(versions[i - 1].net),
		.scoped = all_of(versions[i - 1].scoped),
	};
	_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &rules,
				      versions[i - 1].size, 0);
	if (fd < 0)
		return err_errno("cannot make a Landlock ruleset");
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_errno("cannot restrict itself with Landlock");
	return NULL;
}
