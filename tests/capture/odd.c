/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odd HOW [WORD…]: says "ready", and then waits in an odd state.
 *
 *   library PATH   in a function of this library, which calls back
 *   texts PATH     with a name that looks like more of /proc/PID/stat, and a
 *                  mapping of the file PATH
 *   secret         with a page that must not be dumped
 *   protected      as after prctl(PR_SET_DUMPABLE, 0)
 *   zombie PATH    its child has ended; the number is written to PATH
 */
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGES (16 * 4096)

static void
wait_ready(void)
{
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		exit(1);
	while (1)
		pause();
}

static void
be_in_library(const char *path)
{
	void (*call)(void (*)(void));
	void *library = dlopen(path, RTLD_NOW);
	void *symbol = library ? dlsym(library, "entry") : NULL;

	if (!symbol)
		errx(1, "%s", dlerror());
	memcpy(&call, &symbol, sizeof(call));
	call(wait_ready);
}

static void
be_odd_texts(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, PAGES)
	    || mmap(NULL, PAGES, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		err(1, "mapping");
	prctl(PR_SET_NAME, ") Z 1\n\033[31m(");
	wait_ready();
}

/* Put together here, so that the program's own bytes do not have it. */
static void
fill(char *page, const char *what)
{
	for (size_t k = 0; k + 32 <= PAGES; k += 32)
		snprintf(page + k, 32, "canary-%s-%zu", what, k);
}

static void
be_secret(void)
{
	char *pages[2];

	for (int k = 0; k < 2; k++) {
		pages[k] = mmap(NULL, PAGES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pages[k] == MAP_FAILED)
			err(1, "mapping");
	}
	if (madvise(pages[1], PAGES, MADV_DONTDUMP))
		err(1, "MADV_DONTDUMP");
	fill(pages[0], "shown");
	fill(pages[1], "kept");
	wait_ready();
}

static void
be_parent(const char *path)
{
	FILE *f = fopen(path, "w");
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (!f || fprintf(f, "%d", (int)child) < 0 || fclose(f))
		err(1, "%s", path);
	wait_ready();
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(how, "library") == 0 && argc == 3)
		be_in_library(argv[2]);
	if (strcmp(how, "texts") == 0 && argc > 2)
		be_odd_texts(argv[2]);
	if (strcmp(how, "secret") == 0)
		be_secret();
	if (strcmp(how, "protected") == 0 && !prctl(PR_SET_DUMPABLE, 0))
		wait_ready();
	if (strcmp(how, "zombie") == 0 && argc == 3)
		be_parent(argv[2]);
	return 2;
}
