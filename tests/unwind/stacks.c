/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stacks FILE [EXE]: every thread's stack as inspect unwinds it, for
 * compare.py. One line a frame: thread, number, pc, how, flags, cfa, module; one
 * line at a stack's end: thread, "end", how it ended, why. Over the disk, unjailed.
 *
 * With -q the same by the quick way, without a second opinion (with -s that way
 * without one too). With -r instead every register of every thread: thread, name, bytes. With
 * -t the block of every module's thread-local storage: thread, module, address.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "inspect/unwind.h"
#include "supply/supply.h"

#define FRAMES_MAX 100000u

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	return supply_disk(arg, ask, fd);
}

static struct err *
open_source(const char *path, struct source **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("%s", path);
	return source_fd(fd, path, out);
}

static const char *const ends[] = { "complete", "truncated", "limit" };

static struct err *
print_trace(struct insp *i, size_t thread)
{
	unsigned long long tid = insp_target(i)->threads[thread].tid;
	_arena_ struct arena *a = arena_new(0);
	struct trace t;

	if (!a)
		return err_nomem();
	struct err *err = insp_trace(i, thread, FRAMES_MAX, false, a, &t);
	if (err)
		return err;
	for (size_t n = 0; n < t.n; n++)
		printf("%llu %zu %#llx %u %u %#llx %d\n", tid, n,
		       (unsigned long long)t.frames[n].pc, t.frames[n].how,
		       t.frames[n].flags,
		       (unsigned long long)t.frames[n].cfa,
		       (int)t.frames[n].module);
	printf("%llu end %s %s\n", tid, ends[t.end], t.why ? t.why : "");
	return NULL;
}

static struct err *
print_whole(struct insp *i, size_t thread, bool second_opinion)
{
	unsigned long long tid = insp_target(i)->threads[thread].tid;
	_arena_ struct arena *a = arena_new(0);
	struct stack s;

	if (!a)
		return err_nomem();
	struct err *err = insp_stack(i, thread, FRAMES_MAX, second_opinion, a, &s);
	if (err)
		return err;
	for (size_t n = 0; n < s.n; n++)
		printf("%llu %zu %#llx %u %u %#llx %d\n", tid, n,
		       (unsigned long long)s.frames[n].pc, s.frames[n].how,
		       s.frames[n].flags,
		       (unsigned long long)s.frames[n].cfa,
		       (int)s.frames[n].module);
	printf("%llu end %s %s\n", tid, ends[s.end], s.why ? s.why : "");
	return NULL;
}

static struct err *
print_stack(struct insp *i, size_t thread)
{
	return print_whole(i, thread, true);
}

static struct err *
print_alone(struct insp *i, size_t thread)
{
	return print_whole(i, thread, false);
}

static struct err *
print_regs(struct insp *i, size_t thread)
{
	unsigned long long tid = insp_target(i)->threads[thread].tid;
	size_t n;
	const struct reg *regs = insp_regs(i, &n);

	for (size_t k = 0; k < n; k++) {
		uint8_t value[REG_BYTES_MAX];
		bool known;

		struct err *err = insp_reg_read(i, thread, k, value, &known);
		if (err)
			return err;
		printf("%llu %s ", tid, regs[k].name);
		for (size_t b = 0; known && b < regs[k].bits / 8u; b++)
			printf("%02x", value[b]);
		printf("%s\n", known ? "" : "unknown");
	}
	return NULL;
}

static struct err *
print_tls(struct insp *i, size_t thread)
{
	unsigned long long tid = insp_target(i)->threads[thread].tid;
	size_t n;
	const struct snap_module *modules = insp_modules(i, &n);

	for (size_t k = 0; k < n; k++) {
		uint64_t addr;

		_err_ struct err *err = insp_tls(i, thread,
						 modules[k].link_map, 0, &addr);
		if (err)
			printf("%llu %s none %s\n", tid, modules[k].path,
			       err_text(err));
		else
			printf("%llu %s %#llx\n", tid, modules[k].path,
			       (unsigned long long)addr);
	}
	return NULL;
}

typedef struct err *print_fn(struct insp *i, size_t thread);

static struct err *
print_all(const char *core, const char *exe, print_fn *print)
{
	struct supply supply = { on_disk, (void *)&supply_default_places };
	struct insp_options options = { .supply = &supply };
	_source_ struct source *program = NULL;
	_source_ struct source *source = NULL;
	_insp_ struct insp *i = NULL;
	struct target *target;

	struct err *err = exe ? open_source(exe, &program) : NULL;
	options.exe = program;
	if (!err)
		err = open_source(core, &source);
	if (!err)
		err = target_open(source, &target);
	if (!err)
		err = insp_open(target, &options, &i);
	for (size_t n = 0; !err && n < insp_target(i)->n_threads; n++)
		err = print(i, n);
	return err;
}

int
main(int argc, char **argv)
{
	print_fn *print = print_stack;
	int opt;

	while ((opt = getopt(argc, argv, "qrst")) != -1) {
		static print_fn *const prints[] = {
			['q'] = print_trace, ['r'] = print_regs,
			['s'] = print_alone, ['t'] = print_tls,
		};

		if (opt == '?')
			return 2;
		print = prints[opt];
	}
	if (optind == argc)
		return 2;
	_err_ struct err *err = print_all(argv[optind], argv[optind + 1],
					  print);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	return err_exit_status(err);
}
