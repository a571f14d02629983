/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds files to a fuzz target: the main() of fuzz targets that are built
 * without libFuzzer. Arguments are files and directories; without any, the
 * target's seeds are replayed. Prints TAP: a file that is survived is ok.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "tests/fuzz/fuzz.h"

#define FILE_LIMIT (64u << 20)

struct replay {
	unsigned n, failed;
};

static void
replay_file(struct replay *r, const char *path)
{
	_buf_ struct buf bytes = { 0 };
	_err_ struct err *err = io_read_file(path, FILE_LIMIT, &bytes);

	r->n++;
	if (err) {
		r->failed++;
		printf("not ok %u - %s\n# %s\n", r->n, path, err_text(err));
		return;
	}
	/* A copy of exactly this size lets a sanitizer see one byte over. */
	_free_ uint8_t *exact = malloc(bytes.len ? bytes.len : 1);
	if (!exact)
		abort();
	if (bytes.len)
		memcpy(exact, bytes.data, bytes.len);
	LLVMFuzzerTestOneInput(exact, bytes.len);
	printf("ok %u - survives %s\n", r->n, path);
	fflush(stdout);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay_directory(struct replay *r, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_visible, alphasort);

	for (int i = 0; i < n; i++) {
		_buf_ struct buf file = { 0 };
		buf_printf(&file, "%s/%s", path, entries[i]->d_name);
		replay_file(r, file.data);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void
replay_path(struct replay *r, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		replay_directory(r, path);
	else
		replay_file(r, path);
}

/** tests/fuzz/seeds/NAME for the program …/fuzz-NAME. */
static void
replay_seeds(struct replay *r, const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;
	const char *source = getenv("SRCDIR");
	_buf_ struct buf path = { 0 };

	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	buf_printf(&path, "%s/tests/fuzz/seeds/%s", source ? source : ".",
		   name);
	replay_path(r, path.data);
}

int
main(int argc, char **argv)
{
	struct replay r = { 0 };

	if (argc == 1)
		replay_seeds(&r, argv[0]);
	for (int i = 1; i < argc; i++)
		replay_path(&r, argv[i]);
	if (r.n == 0) {
		printf("not ok 1 - there are seeds\n");
		r.n = r.failed = 1;
	}
	printf("1..%u\n", r.n);
	return r.failed ? 1 : 0;
}
