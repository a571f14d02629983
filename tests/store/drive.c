/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive: a store from the command line, for the scripts beside this file.
 *
 *   drive URL [map=N] [partition=N] VERB [ARGUMENT…]
 *
 * What is acknowledged is printed at once, a line each. Ends as `inquest`
 * does: with the status of the error that it prints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/make-object.h"

struct drive {
	struct store *store;
	int argc;
	char **argv;            /* behind the verb */
};

static uint64_t
number_of(const struct drive *d, int i)
{
	return i < d->argc ? strtoull(d->argv[i], NULL, 0) : 0;
}

static struct store_ref
ref_of(const char *project, uint64_t number)
{
	struct store_ref ref = { .number = number };

	snprintf(ref.project, sizeof(ref.project), "%s", project);
	return ref;
}

/** fill PROJECT FIRST COUNT SIZE: "FILE OBJECT" for each. */
static struct err *
drive_fill(struct drive *d)
{
	uint64_t first = number_of(d, 1), n = number_of(d, 2);
	struct store_added added;
	struct err *err = NULL;

	for (uint64_t i = first; i < first + n && !err; i++) {
		err = make_and_put(d->store, d->argv[0], i, number_of(d, 3),
				   &added);
		if (!err)
			printf("%" PRIu64 " %" PRIu64 "\n", i,
			       added.ref.number);
		fflush(stdout);
	}
	return err;
}

/** check PROJECT SIZE: what fill printed is on standard input. */
static struct err *
drive_check(struct drive *d)
{
	uint64_t file, object, n = 0;
	struct err *err = NULL;

	while (!err && scanf("%" SCNu64 " %" SCNu64, &file, &object) == 2) {
		struct store_ref ref = ref_of(d->argv[0], object);

		err = make_and_check(d->store, &ref, file, number_of(d, 1));
		n++;
	}
	printf("checked %" PRIu64 "\n", n);
	return err;
}

/** churn PROJECT COUNT SIZE: put, remove, collect over and over. */
static struct err *
drive_churn(struct drive *d)
{
	struct store_added added;
	struct store_gc gc;
	struct err *err = NULL;

	for (uint64_t i = 0; i < number_of(d, 1) && !err; i++) {
		err = make_and_put(d->store, d->argv[0], 1000000 + i,
				   number_of(d, 2), &added);
		if (!err)
			err = store_rm(d->store, &added.ref);
		if (!err && i % 4 == 3)
			err = store_collect(d->store, d->argv[0], NULL, NULL,
					    &gc);
	}
	return err;
}

static struct err *
write_out(void *arg, const void *data, size_t n)
{
	return fwrite(data, 1, n, arg) == n ? NULL : err_errno("stdout");
}

/** get PROJECT OBJECT */
static struct err *
drive_get(struct drive *d)
{
	struct store_ref ref = ref_of(d->argv[0], number_of(d, 1));

	return store_get(d->store, &ref, write_out, stdout);
}

static bool
print_object(void *arg, const struct store_object *o)
{
	(void)arg;
	printf("%s %" PRIu64 " %" PRIu64 "\n", o->ref.project, o->ref.number,
	       o->size);
	return true;
}

/** list */
static struct err *
drive_list(struct drive *d)
{
	return store_list(d->store, NULL, print_object, NULL);
}

/** rm PROJECT OBJECT… */
static struct err *
drive_rm(struct drive *d)
{
	struct err *err = NULL;

	for (int i = 1; i < d->argc && !err; i++) {
		struct store_ref ref = ref_of(d->argv[0], number_of(d, i));

		err = store_rm(d->store, &ref);
		if (!err)
			printf("%" PRIu64 "\n", ref.number);
		fflush(stdout);
	}
	return err;
}

/** gc */
static struct err *
drive_gc(struct drive *d)
{
	struct store_gc gc;
	struct err *err = store_collect(d->store, NULL, NULL, NULL, &gc);

	if (!err)
		printf("freed %" PRIu64 " moved %" PRIu64 "\n", gc.freed,
		       gc.moved);
	return err;
}

static void
print_fault(void *arg, const char *sentence)
{
	(void)arg;
	printf("fault: %s\n", sentence);
}

/** verify */
static struct err *
drive_verify(struct drive *d)
{
	struct store_verified v;
	struct err *err = store_verify(d->store, NULL, print_fault, NULL, &v);

	if (!err)
		printf("objects %" PRIu64 " faults %" PRIu64 "\n", v.objects,
		       v.faults);
	return err;
}

/** again PROJECT FIRST COUNT SIZE: fill whatever fails; says how often. */
static struct err *
drive_again(struct drive *d)
{
	uint64_t first = number_of(d, 1), n = number_of(d, 2);
	struct store_added added;

	for (uint64_t i = first; i < first + n; i++) {
		_err_ struct err *err = make_and_put(d->store, d->argv[0], i,
						     number_of(d, 3), &added);

		if (err)
			printf("! %d %s\n", err_exit_status(err),
			       err_text(err));
		else
			printf("%" PRIu64 " %" PRIu64 "\n", i,
			       added.ref.number);
		fflush(stdout);
	}
	return NULL;
}

static const struct {
	const char *name;
	int least;              /* arguments */
	struct err *(*run)(struct drive *d);
} verbs[] = {
	{ "again", 4, drive_again },
	{ "check", 2, drive_check },
	{ "churn", 3, drive_churn },
	{ "fill", 4, drive_fill },
	{ "gc", 0, drive_gc },
	{ "get", 2, drive_get },
	{ "list", 0, drive_list },
	{ "rm", 2, drive_rm },
	{ "verify", 0, drive_verify },
};

static struct err *
drive_verb(struct drive *d, const char *name)
{
	for (size_t i = 0; i < countof(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return d->argc < verbs[i].least ?
			       err_new(ERR_USAGE, "%s: too few", name) :
			       verbs[i].run(d);
	return err_new(ERR_USAGE, "no verb %s", name);
}

static struct err *
drive_run(int argc, char **argv)
{
	struct store_options o = { .create = true };
	_store_ struct store *s = NULL;
	int i = 2;

	for (; i < argc && strchr(argv[i], '='); i++) {
		if (strncmp(argv[i], "map=", 4) == 0)
			o.map_size = strtoull(argv[i] + 4, NULL, 0);
		if (strncmp(argv[i], "partition=", 10) == 0)
			o.partition_size = strtoull(argv[i] + 10, NULL, 0);
	}
	if (i >= argc)
		return err_new(ERR_USAGE, "drive URL [SETTING=N] VERB");
	struct err *err = store_open(argv[1], &o, &s);
	struct drive d = { s, argc - i - 1, argv + i + 1 };
	return err ? err : drive_verb(&d, argv[i]);
}

int
main(int argc, char **argv)
{
	_err_ struct err *err = drive_run(argc, argv);

	if (err)
		fprintf(stderr, "drive: %s\n", err_text(err));
	return err_exit_status(err);
}
