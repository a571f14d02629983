/* SPDX-License-Identifier: Apache-2.0 */
/* Modules are found on disk in the promised order, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assert-err.h"
#include "supply/supply.h"
#include "temp-tree.h"

#define MAGIC "\177ELF"
static const struct module_id abcdef = {
	.kind = ID_GNU_BUILD_ID, .len = 3, .bytes = { 0xab, 0xcd, 0xef },
};

/* Two debug directories and a sysroot in the tree; paths of the module. */
struct disk {
	const char *tree;
	char debug[2][64], root[64], path[64], gone[80];
	const char *dirs[3];
	struct supply_places places;
};

static void
disk_init(struct disk *d, const char *tree)
{
	d->tree = tree;
	snprintf(d->debug[0], sizeof(d->debug[0]), "%s/debug", tree);
	snprintf(d->debug[1], sizeof(d->debug[1]), "%s/more", tree);
	snprintf(d->root, sizeof(d->root), "%s/root", tree);
	snprintf(d->path, sizeof(d->path), "%s/lib/libx.so", tree);
	snprintf(d->gone, sizeof(d->gone), "%s (deleted)", d->path);
	d->dirs[0] = d->debug[0];
	d->dirs[1] = d->debug[1];
	d->dirs[2] = NULL;
	d->places = (struct supply_places){
		.debug_dirs = d->dirs, .sysroot = d->root,
	};
}

/* A file that begins like ELF and then says its own name. */
static void
put_elf(const struct disk *d, const char *name)
{
	char text[300];

	snprintf(text, sizeof(text), MAGIC "%s", name);
	temp_tree_put(d->tree, name, text);
}

/* The same below a directory of the tree, at the module's path there. */
static void
put_elf_under(const struct disk *d, const char *prefix, const char *name)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s%s", prefix, d->tree, name);
	put_elf(d, full);
}

/* Candidates of @ask are these files, with @d->tree for a '@', and no more. */
static void
assert_candidates(const struct disk *d, struct supply_ask ask,
		  const char *const *names)
{
	for (ask.nth = 0; names[ask.nth]; ask.nth++) {
		char text[256] = "", wanted[256];
		const char *at = strchr(names[ask.nth], '@');
		_close_ int fd = -1;

		snprintf(wanted, sizeof(wanted), MAGIC "%.*s%s%s",
			 (int)(at ? at - names[ask.nth] : 255),
			 names[ask.nth], at ? d->tree : "", at ? at + 1 : "");
		assert_ok(supply_disk(&d->places, &ask, &fd));
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		assert_string_equal(text, wanted);
	}
	int fd = -1;
	assert_err(supply_disk(&d->places, &ask, &fd), ERR_NOTFOUND, "no ");
	assert_int_equal(fd, -1);
	ask.nth = UINT32_MAX;
	assert_err(supply_disk(&d->places, &ask, &fd), ERR_NOTFOUND,
		   "no further");
}

static const char *const nothing[] = { NULL };

static void
executables_come_by_path_and_by_id(void **state)
{
	static const char *const wanted[] = {
		"/root@/lib/libx.so (deleted)", "/lib/libx.so (deleted)",
		"/debug/.build-id/ab/cdef", "/more/.build-id/ab/cdef",
		"/root@/lib/libx.so", "/lib/libx.so", NULL,
	};
	struct disk d;

	disk_init(&d, *state);
	for (size_t i = 0; wanted[i]; i++)
		if (!strchr(wanted[i], '@'))
			put_elf(&d, wanted[i]);
	put_elf_under(&d, "/root", "/lib/libx.so");
	put_elf_under(&d, "/root", "/lib/libx.so (deleted)");
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_EXE, .id = abcdef, .path = d.gone }, wanted);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_EXE, .path = d.path }, wanted + 4);
}

static void
debug_files_come_by_id_and_by_link(void **state)
{
	static const char *const wanted[] = {
		"/debug/.build-id/ab/cdef.debug",
		"/more/.build-id/ab/cdef.debug",
		"/root@/lib/x.debug", "/lib/x.debug",
		"/root@/lib/.debug/x.debug", "/lib/.debug/x.debug",
		"/debug@/lib/x.debug", "/more@/lib/x.debug",
		"/debug@/lib/libx.so.debug", "/more@/lib/libx.so.debug", NULL,
	};
	static const char *const under[] = { "/root", "/debug", "/more" };
	struct disk d;

	disk_init(&d, *state);
	for (size_t i = 0; wanted[i]; i++)
		if (!strchr(wanted[i], '@'))
			put_elf(&d, wanted[i]);
	for (size_t i = 0; i < countof(under); i++)
		put_elf_under(&d, under[i], "/lib/x.debug");
	put_elf_under(&d, "/root", "/lib/.debug/x.debug");
	put_elf_under(&d, "/debug", "/lib/libx.so.debug");
	put_elf_under(&d, "/more", "/lib/libx.so.debug");
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_DEBUG, .id = abcdef, .path = d.path,
		.link = "x.debug" }, wanted);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_DEBUG, .path = d.path }, wanted + 8);
}

static void
alternates_come_by_id_and_by_link(void **state)
{
	static const char *const wanted[] = {
		"/debug/.build-id/ab/cdef.debug",
		"/lib/dwz/x", "/debug@/lib/dwz/x",
		"/debug/.dwz/x", "/more/.dwz/x", NULL,
	};
	static const char *const absolute[] = {
		"/debug/.dwz/any/x", "/debug/.dwz/x", "/more/.dwz/x", NULL,
	};
	struct disk d;
	char link[128];

	disk_init(&d, *state);
	for (size_t i = 0; wanted[i]; i++)
		if (!strchr(wanted[i], '@'))
			put_elf(&d, wanted[i]);
	put_elf_under(&d, "/debug", "/lib/dwz/x");
	put_elf(&d, absolute[0]);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_ALT, .id = abcdef, .path = d.path,
		.link = "dwz/x" }, wanted);
	snprintf(link, sizeof(link), "%s/.dwz/any/x", d.debug[0]);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_ALT, .path = d.path, .link = link }, absolute);
}

static void
an_absolute_link_may_lead_beside_the_module_only(void **state)
{
	static const char *const beside[] = { "/lib/x.alt", NULL };
	struct disk d;
	char link[128];

	disk_init(&d, *state);
	put_elf(&d, "/lib/x.alt");
	put_elf(&d, "/etc/x.alt");
	put_elf(&d, "/lib/deep/x.alt");
	struct supply_ask ask = { .kind = SUPPLY_ALT, .path = d.path,
				  .link = link };
	snprintf(link, sizeof(link), "%s/lib/x.alt", d.tree);
	assert_candidates(&d, ask, beside);
	snprintf(link, sizeof(link), "%s/etc/x.alt", d.tree);
	assert_candidates(&d, ask, nothing);
	snprintf(link, sizeof(link), "%s/lib/deep/x.alt", d.tree);
	assert_candidates(&d, ask, nothing);
}

static void
names_that_climb_or_are_relative_lead_nowhere(void **state)
{
	static const char *const by_id[] = { "/debug/.build-id/ab/cdef",
					     NULL };
	struct disk d;
	char path[128];

	disk_init(&d, *state);
	put_elf(&d, "/lib/libx.so");
	put_elf(&d, "/secret");
	put_elf(&d, "/lib/sub/x");
	put_elf(&d, "/debug/.build-id/ab/cdef");
	snprintf(path, sizeof(path), "%s/lib/../secret", d.tree);
	const struct supply_ask asks[] = {
		{ .kind = SUPPLY_EXE, .path = path },
		{ .kind = SUPPLY_EXE, .path = path + 1 },
		{ .kind = SUPPLY_EXE, .path = ".." },
		{ .kind = SUPPLY_EXE, .path = "" },
		{ .kind = SUPPLY_DEBUG, .path = d.path, .link = "../secret" },
		{ .kind = SUPPLY_DEBUG, .path = d.path, .link = ".." },
		{ .kind = SUPPLY_DEBUG, .path = d.path, .link = "sub/x" },
		{ .kind = SUPPLY_DEBUG, .path = d.path, .link = path },
		{ .kind = SUPPLY_ALT, .path = d.path, .link = "../secret" },
		{ .kind = SUPPLY_ALT, .path = d.path, .link = "/.." },
		{ .kind = SUPPLY_ALT, .path = d.path, .link = "" },
	};

	for (size_t i = 0; i < countof(asks); i++)
		assert_candidates(&d, asks[i], nothing);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_EXE, .id = abcdef, .path = path }, by_id);
}

/* What is an ELF file, and whose note, in a segment or a section, is @id. */
static void
put_with_id(const struct disk *d, const char *name, const struct module_id *id,
	    bool by_section)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph;
		Elf64_Shdr sh;
		Elf64_Nhdr note;
		char name[4];
		uint8_t id[ID_MAX];
	} f = { .note = { 4, id->len, NT_GNU_BUILD_ID }, .name = "GNU" };
	const size_t at = offsetof(__typeof__(f), note);
	const size_t n = sizeof(f) - at;
	char path[256];

	memcpy(f.eh.e_ident, ELFMAG, SELFMAG);
	f.eh.e_ident[EI_CLASS] = ELFCLASS64;
	f.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	f.eh.e_phoff = offsetof(__typeof__(f), ph);
	f.eh.e_shoff = offsetof(__typeof__(f), sh);
	f.eh.e_phentsize = sizeof(f.ph);
	f.eh.e_shentsize = sizeof(f.sh);
	f.eh.e_phnum = f.eh.e_shnum = 1;
	memcpy(f.id, id->bytes, id->len);
	if (by_section)
		f.sh = (Elf64_Shdr){ .sh_type = SHT_NOTE, .sh_offset = at,
				     .sh_size = n };
	else
		f.ph = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at,
				     .p_filesz = n };
	temp_tree_put(d->tree, name, "");
	snprintf(path, sizeof(path), "%s%s", d->tree, name);
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, &f, sizeof(f)), sizeof(f));
}

/* How many candidates @ask has. */
static uint32_t
count(const struct disk *d, struct supply_ask ask)
{
	for (ask.nth = 0;; ask.nth++) {
		_close_ int fd = -1;
		uint32_t seen;
		_err_ struct err *none = supply_near(&d->places, &ask, &seen,
						     &fd);

		if (none)
			return ask.nth;
		assert_true(fd >= 0);
	}
}

/* Who asks may have been taken over, and an id is soon made up. */
static void
by_id_a_path_alone_opens_nothing(void **state)
{
	static const struct module_id other = {
		.kind = ID_GNU_BUILD_ID, .len = 3, .bytes = { 1, 2, 3 },
	};
	static const char *const names[] = {
		"/lib/libx.so", "/lib/x.debug", "/lib/.debug/x.debug",
		"/debug/.build-id/ab/cdef", "/debug/.build-id/ab/cdef.debug",
		"/lib/libx.so.dwp",
	};
	struct disk d;

	disk_init(&d, *state);
	d.places.by_id = true;
	for (size_t i = 0; i < countof(names); i++)
		put_with_id(&d, names[i], &other, i % 2);
	for (int kind = SUPPLY_EXE; kind <= SUPPLY_PACKAGE; kind++)
		assert_int_equal(count(&d, (struct supply_ask){
			.kind = (uint8_t)kind, .id = abcdef, .path = d.path,
			.link = "x.debug" }), 0);
	for (int kind = SUPPLY_EXE; kind <= SUPPLY_PACKAGE; kind++)
		assert_int_equal(count(&d, (struct supply_ask){
			.kind = (uint8_t)kind, .path = d.path, .link = "x.debug" }), 0);
}

static void
by_id_a_path_opens_the_file_that_has_the_id(void **state)
{
	struct disk d;

	disk_init(&d, *state);
	d.places.by_id = true;
	put_with_id(&d, "/lib/libx.so", &abcdef, false);
	put_with_id(&d, "/lib/x.debug", &abcdef, true);
	put_elf(&d, "/lib/.debug/x.debug");
	put_elf(&d, "/lib/libx.so.dwp");
	put_elf(&d, "/lib/liby.so.dwp");
	assert_int_equal(count(&d, (struct supply_ask){
		.kind = SUPPLY_EXE, .id = abcdef, .path = d.path }), 1);
	assert_int_equal(count(&d, (struct supply_ask){
		.kind = SUPPLY_DEBUG, .id = abcdef, .path = d.path,
		.link = "x.debug" }), 1);
	/* A package has no id: it is the module's that has one. */
	assert_int_equal(count(&d, (struct supply_ask){
		.kind = SUPPLY_PACKAGE, .id = abcdef, .path = d.path }), 1);
	d.path[strlen(d.path) - strlen("x.so")] = 'y';
	assert_int_equal(count(&d, (struct supply_ask){
		.kind = SUPPLY_PACKAGE, .id = abcdef, .path = d.path }), 0);
}

static void
only_regular_elf_files_are_handed_over(void **state)
{
	static const char *const good[] = { "/more/.build-id/ab/cdef", NULL };
	struct disk d;
	char path[128];

	disk_init(&d, *state);
	put_elf(&d, good[0]);
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .id = abcdef,
					.path = d.path };
	temp_tree_put(d.tree, "/lib/libx.so", "#!/bin/sh\n");
	assert_candidates(&d, ask, good);
	temp_tree_put(d.tree, "/lib/libx.so", "\177EL");
	assert_candidates(&d, ask, good);
	assert_int_equal(unlink(d.path), 0);
	assert_int_equal(mkfifo(d.path, 0600), 0);
	assert_candidates(&d, ask, good);
	assert_int_equal(unlink(d.path), 0);
	assert_int_equal(symlink("/dev/zero", d.path), 0);
	assert_candidates(&d, ask, good);
	assert_int_equal(unlink(d.path), 0);
	assert_int_equal(symlink("/proc/kcore", d.path), 0);
	assert_candidates(&d, ask, good);
	snprintf(path, sizeof(path), "%s/debug/.build-id/ab/cdef/", d.tree);
	temp_tree_put(path, "directory", "");
	assert_candidates(&d, ask, good);
}

/* To open a device or a FIFO can do something already. */
static void
what_is_no_regular_file_is_not_even_opened(void **state)
{
	_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct inotify_event event[16];
	struct disk d;

	disk_init(&d, *state);
	put_elf(&d, "/lib/other");
	assert_int_equal(mkfifo(d.path, 0600), 0);
	assert_true(inotify_add_watch(watch, d.path, IN_OPEN) >= 0);
	assert_candidates(&d, (struct supply_ask){
		.kind = SUPPLY_EXE, .path = d.path }, nothing);
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	_close_ int fifo = open(d.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo >= 0);
	assert_true(read(watch, event, sizeof(event)) > 0);
}

static void
only_a_build_id_names_a_build_id_directory(void **state)
{
	struct disk d;
	struct supply_ask ask = { .kind = SUPPLY_EXE, .id = abcdef };

	disk_init(&d, *state);
	put_elf(&d, "/debug/.build-id/ab/cdef");
	put_elf(&d, "/debug/.build-id/ab/x");
	ask.id.kind = ID_CONTENT;
	assert_candidates(&d, ask, nothing);
	ask.id.kind = ID_GNU_BUILD_ID;
	ask.id.len = 1;
	assert_candidates(&d, ask, nothing);
}

static void
what_is_handed_over_cannot_be_written(void **state)
{
	struct disk d;
	int fd = -1;

	disk_init(&d, *state);
	put_elf(&d, "/lib/libx.so");
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .path = d.path };
	assert_ok(supply_disk(&d.places, &ask, &fd));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
}

static void
nothing_is_known_of_an_unknown_kind(void **state)
{
	struct disk d;

	disk_init(&d, *state);
	put_elf(&d, "/lib/libx.so");
	assert_candidates(&d, (struct supply_ask){ .kind = SUPPLY_TEXT + 1,
						   .path = d.path }, nothing);
}

/* Where the text @path is looked for, below the tree; NULL: nowhere. */
static void
assert_text(const struct supply_places *places, uint8_t kind,
	    const char *path, const char *text)
{
	const struct supply_ask ask = { .kind = kind, .path = path };
	_close_ int fd = -1;
	char got[16] = "";

	_err_ struct err *err = supply_disk(places, &ask, &fd);
	if (!text) {
		assert_int_equal(err_kind(err), ERR_NOTFOUND);
		return;
	}
	assert_null(err);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, text);
}

static void
assert_source(const struct supply_places *places, const char *path,
	      const char *text)
{
	assert_text(places, SUPPLY_SOURCE, path, text);
}

static void
a_source_that_is_only_looked_into_is_not_handed_on(void **state)
{
	const char *tree = *state;
	const struct supply_places none = { .sysroot = tree };
	const struct supply_places places = { .sysroot = tree, .texts = true };

	temp_tree_put(tree, "/one/a.c", "one");
	temp_tree_put(tree, "/one/secret", "two");
	assert_text(&places, SUPPLY_TEXT, "/one/a.c", "one");
	assert_text(&places, SUPPLY_SOURCE, "/one/a.c", NULL);
	assert_text(&places, SUPPLY_TEXT, "/one/secret", NULL);
	assert_text(&none, SUPPLY_TEXT, "/one/a.c", NULL);
}

static void
sources_are_where_the_longest_map_leads(void **state)
{
	const char *tree = *state;
	_buf_ struct buf one = { 0 }, two = { 0 };

	temp_tree_put(tree, "/one/a.c", "one");
	temp_tree_put(tree, "/one/sub/a.c", "sub");
	temp_tree_put(tree, "/two/a.c", "two");
	buf_printf(&one, "%s/one", tree);
	buf_printf(&two, "%s/two", tree);
	const struct supply_map maps[] = {
		{ "/build", one.data }, { "/build/deep/", two.data },
		{ ".", one.data },
	};
	const struct supply_places places = {
		.sources = true, .maps = maps, .n_maps = countof(maps),
	};

	assert_source(&places, "/build/a.c", "one");
	assert_source(&places, "/build/./sub//a.c", "sub");
	assert_source(&places, "/build/sub/../a.c", "one");
	assert_source(&places, "/build/deep/a.c", "two");
	assert_source(&places, "./sub/a.c", "sub");
	assert_source(&places, "sub/a.c", "sub");
	assert_source(&places, "./x/../sub/a.c", "sub");
	/* Not another directory, nor out of it, nor what is no source. */
	assert_source(&places, "/builder/a.c", NULL);
	assert_source(&places, "/build/../two/a.c", NULL);
	assert_source(&places, "../two/a.c", NULL);
	assert_source(&places, "/build/..", NULL);
	assert_source(&places, "/build", NULL);
	assert_source(&places, "", NULL);
}

static void
no_places_are_no_candidates(void **state)
{
	const struct supply_places none = { .sysroot = NULL };
	const struct supply_ask ask = { .kind = SUPPLY_DEBUG, .id = abcdef };
	int fd = -1;

	(void)state;
	assert_err(supply_disk(&none, &ask, &fd), ERR_NOTFOUND, "no file");
}

#define IN_A_TREE(test) \
	cmocka_unit_test_setup_teardown(test, temp_tree_setup, \
					temp_tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_TREE(executables_come_by_path_and_by_id),
		IN_A_TREE(debug_files_come_by_id_and_by_link),
		IN_A_TREE(alternates_come_by_id_and_by_link),
		IN_A_TREE(an_absolute_link_may_lead_beside_the_module_only),
		IN_A_TREE(names_that_climb_or_are_relative_lead_nowhere),
		IN_A_TREE(by_id_a_path_alone_opens_nothing),
		IN_A_TREE(by_id_a_path_opens_the_file_that_has_the_id),
		IN_A_TREE(only_regular_elf_files_are_handed_over),
		IN_A_TREE(what_is_no_regular_file_is_not_even_opened),
		IN_A_TREE(only_a_build_id_names_a_build_id_directory),
		IN_A_TREE(what_is_handed_over_cannot_be_written),
		IN_A_TREE(nothing_is_known_of_an_unknown_kind),
		IN_A_TREE(a_source_that_is_only_looked_into_is_not_handed_on),
		IN_A_TREE(sources_are_where_the_longest_map_leads),
		cmocka_unit_test(no_places_are_no_candidates),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
