/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spaces.c: a program that lives, with one library in three dlmopen()
 * namespaces, and waits in the last of them: each has a variable of one name.
 */
#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "library.h"
#include "victim.h"

typedef int library_call_fn(plugin_call_fn *, dereference_fn *, void *);
static library_call_fn *call[2];

static int
wait_here(void *where)
{
	char byte;

	(void)where;
	puts("ready");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		warn("read");
	return 0;
}

static int
straight(dereference_fn *fn, void *where, int number)
{
	return fn(where) + number;
}

static int
into_last(void *where)
{
	return call[1](straight, wait_here, where);
}

/* Its variable is 2 in the last one then. */
static int
into_last_twice(void *where)
{
	return call[1](straight, into_last, where);
}

static void
open_space(int n, const char *path)
{
	void *library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);

	if (!library)
		errx(1, "%s", dlerror());
	call[n] = (library_call_fn *)dlsym(library, "library_call");
	if (!call[n])
		errx(1, "%s", dlerror());
}

int
main(void)
{
	Dl_info info;

	library_set(7);
	if (!dladdr((void *)library_set, &info) || !strchr(info.dli_fname, '/'))
		errx(1, "where is the library?");
	open_space(0, info.dli_fname);
	open_space(1, info.dli_fname);
	return call[0](straight, into_last_twice, NULL);
}
