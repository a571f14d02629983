/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosted TOKEN FILE...: a session that may open any of these files, on standard
 * input and output, for many.py. Unjailed, over the disk. A file's number is
 * 101 and on, its id the name without directory; "-" wants no token.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gdbstub/gdbstub.h"
#include "supply/supply.h"

#define FILES_MAX 64
#define FIRST_NUMBER 101u

struct hosted {
	const char *token;
	char **paths;
	size_t n;
	struct source *sources[FILES_MAX];
	struct insp *opened[FILES_MAX];
	struct supply supply;
};

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	return supply_disk(arg, ask, fd);
}

static const char *
id_of(const struct hosted *h, size_t k)
{
	const char *slash = strrchr(h->paths[k], '/');

	return slash ? slash + 1 : h->paths[k];
}

static struct err *
hosted_auth(void *arg, const char *token)
{
	const struct hosted *h = arg;

	return strcmp(token, h->token) == 0 ? NULL
	       : err_new(ERR_DENIED, "this is not the token");
}

static struct err *
hosted_list(void *arg, struct arena *a, const struct stub_offer **out,
	    size_t *n)
{
	const struct hosted *h = arg;
	struct stub_offer *offers = arena_array(a, h->n, sizeof(*offers));

	if (!offers)
		return err_nomem();
	for (size_t k = 0; k < h->n; k++)
		offers[k] = (struct stub_offer){ .number = FIRST_NUMBER + k,
						 .id = id_of(h, k) };
	*out = offers;
	*n = h->n;
	return NULL;
}

static struct err *
hosted_find(void *arg, const char *id, uint64_t *number)
{
	const struct hosted *h = arg;

	for (size_t k = 0; k < h->n; k++)
		if (strcmp(id_of(h, k), id) == 0) {
			*number = FIRST_NUMBER + k;
			return NULL;
		}
	return err_new(ERR_NOTFOUND, "there is no snapshot %s", id);
}

static struct err *
open_file(struct hosted *h, size_t k)
{
	const struct insp_options options = { .supply = &h->supply };
	int fd = open(h->paths[k], O_RDONLY | O_CLOEXEC);
	struct target *t;

	if (fd < 0)
		return err_errno("%s", h->paths[k]);
	struct err *err = source_fd(fd, h->paths[k], &h->sources[k]);
	if (!err)
		err = target_open(h->sources[k], &t);
	return err ? err : insp_open(t, &options, &h->opened[k]);
}

static struct err *
hosted_open(void *arg, uint64_t number, struct insp **out, const char **title)
{
	struct hosted *h = arg;
	uint64_t k = number - FIRST_NUMBER;

	if (number < FIRST_NUMBER || k >= h->n)
		return err_new(ERR_NOTFOUND, "there is no such number");
	struct err *err = open_file(h, k);
	if (err)
		return err;
	*out = h->opened[k];
	*title = h->paths[k];
	return NULL;
}

static struct err *
serve(struct stub *s)
{
	char bytes[512];
	ssize_t n;

	while (!stub_done(s) && (n = read(0, bytes, sizeof(bytes))) > 0) {
		_buf_ struct buf out = { 0 };

		struct err *err = stub_feed(s, bytes, (size_t)n, &out);
		if (!err && out.len)
			err = io_write(1, out.data, out.len);
		if (err)
			return err;
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct hosted h = {
		.paths = argv + 2,
		.supply = { on_disk, (void *)&supply_default_places },
	};
	struct stub_host host = {
		.auth = hosted_auth, .list = hosted_list, .find = hosted_find,
		.open = hosted_open, .arg = &h,
	};
	const struct stub_options options = { .host = &host };
	struct stub *s = NULL;

	if (argc < 3 || argc - 2 > FILES_MAX)
		return 2;
	h.n = (size_t)argc - 2;
	h.token = argv[1];
	if (strcmp(h.token, "-") == 0)
		host.auth = NULL;
	struct err *err = stub_new(NULL, &options, &s);
	if (!err)
		err = serve(s);
	stub_free(s);
	for (size_t k = 0; k < h.n; k++) {
		insp_free(h.opened[k]);
		source_free(h.sources[k]);
	}
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	int status = err_exit_status(err);
	err_free(err);
	return status;
}
