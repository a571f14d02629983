/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ELF file of each module: found through supply and checked against what
 * the target's memory says of it, else composed from the stored skeleton.
 */
#include "inspect/image.h"
#include "inspect/impl.h"
#include "inspect/indexed.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MAX 64u
#define VDSO_MAX (1u << 20)

struct module_state {
	bool asked;             /* resolved, or being resolved */
	bool found_at_path;     /* as candidate @nth of supply */
	uint32_t nth;
	enum module_file kind;
	struct source *file;    /* what is shown; owned unless it is i->exe */
	Elf *elf;               /* owned */
	uint8_t *image;         /* behind elf and file when composed; owned */
	const struct snap_extent *extents;      /* its skeleton, when known */
	size_t n_extents;
};

/** A separate debug file that was asked for by id. */
struct debug_file {
	struct module_id id;
	struct source *file;    /* owned; NULL = there is none */
};

void
files_id(Elf *elf, struct module_id *out)
{
	const void *bits;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &bits);

	memset(out, 0, sizeof(*out));
	if (n <= 0 || n > ID_MAX)
		return;
	out->kind = ID_GNU_BUILD_ID;
	out->len = (uint8_t)n;
	memcpy(out->bytes, bits, (size_t)n);
}

/* ---- is it the module's file? ------------------------------------------------ */
/* ELF header and program headers: the same in the file and in memory? */
static bool
headers_match(struct insp *i, const struct snap_module *m, struct source *file)
{
	size_t n = sizeof(Elf64_Ehdr) + 16 * sizeof(Elf64_Phdr);
	char ours[sizeof(Elf64_Ehdr) + 16 * sizeof(Elf64_Phdr)];
	char theirs[sizeof(ours)];
	Elf64_Ehdr eh;

	_err_ struct err *err = space_read_below(i->space, m->start, sizeof(eh), &eh);
	if (err)
		return false;
	if (eh.e_phnum < 16)
		n = sizeof(eh) + eh.e_phnum * sizeof(Elf64_Phdr);
	_err_ struct err *a = space_read_below(i->space, m->start, n, ours);
	_err_ struct err *b = source_read(file, 0, n, theirs);
	return !a && !b && memcmp(ours, theirs, n) == 0;
}

static bool
load_covers(const GElf_Phdr *ph, uint64_t vaddr, uint64_t offset)
{
	return ph->p_type == PT_LOAD && offset >= (ph->p_offset & -4096ull)
	       && offset < ph->p_offset + ph->p_filesz
	       && vaddr - offset == ph->p_vaddr - ph->p_offset;
}

/* Every mapping of the file lies where one of its PT_LOADs would put it? */
static bool
layout_matches(struct insp *i, const struct snap_module *m, Elf *elf)
{
	const struct target *t = i->target;
	size_t n_phdrs = 0, seen = 0;

	elf_getphdrnum(elf, &n_phdrs);
	for (size_t k = 0; k < t->n_maps; k++) {
		const struct snap_map *map = &t->maps[k];
		bool placed = false;
		GElf_Phdr ph;

		if (!map->path || !m->path || strcmp(map->path, m->path) != 0
		    || map->start < m->start || map->start >= m->end)
			continue;
		seen++;
		for (size_t p = 0; p < n_phdrs && !placed; p++)
			placed = gelf_getphdr(elf, (int)p, &ph)
				 && load_covers(&ph, map->start - m->bias,
						map->offset);
		if (!placed)
			return false;
	}
	return seen > 0;
}

static enum module_file
file_matches(struct insp *i, const struct snap_module *m, Elf *elf,
	     struct source *file)
{
	struct module_id id;
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh)
	    || eh.e_machine != i->target->process.machine)
		return MODULE_FILE_NONE;
	files_id(elf, &id);
	if (m->id.kind != ID_NONE)
		return id_equal(&id, &m->id) ? MODULE_FILE_EXACT
					     : MODULE_FILE_NONE;
	return headers_match(i, m, file) || layout_matches(i, m, elf)
	       ? MODULE_FILE_UNVERIFIED : MODULE_FILE_NONE;
}

/* Where memory does not tell the bias, the file's first PT_LOAD does. */
static void
fill_bias(struct snap_module *m, Elf *elf)
{
	size_t n = 0;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	if (m->bias != MODULE_BIAS_UNKNOWN || !gelf_getehdr(elf, &eh))
		return;
	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++) {
		if (!gelf_getphdr(elf, (int)k, &ph) || ph.p_type != PT_LOAD)
			continue;
		m->bias = eh.e_type == ET_EXEC
			  ? 0 : m->start - (ph.p_vaddr - ph.p_offset);
		return;
	}
}

static Elf *
open_elf(struct source *file)
{
	int fd = source_descriptor(file);

	return fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
}

/** Take @file for module @n if it is the right one. */
static bool
try_file(struct insp *i, size_t n, struct source *file)
{
	struct module_state *s = &i->states[n];
	Elf *elf = open_elf(file);
	enum module_file kind;

	if (!elf)
		return false;
	struct snap_module tried = i->modules[n];
	fill_bias(&tried, elf);
	kind = file_matches(i, &tried, elf, file);
	if (kind == MODULE_FILE_NONE) {
		elf_end(elf);
		return false;
	}
	i->modules[n].bias = tried.bias;
	s->elf = elf;
	s->file = file;
	s->kind = kind;
	i->modules[n].file_size = source_size(file);
	if (kind == MODULE_FILE_UNVERIFIED)
		insp_add_gap(i, "%s has no build-id to compare: its file was "
			     "taken because its layout matches",
			     source_name(file));
	return true;
}

static bool
ask_supply(struct insp *i, size_t n)
{
	const struct snap_module *m = &i->modules[n];
	struct supply_ask ask = {
		.kind = SUPPLY_EXE, .id = m->id, .path = m->path,
	};

	if (!i->supply || (!m->path && m->id.kind == ID_NONE))
		return false;
	for (; ask.nth < CANDIDATES_MAX; ask.nth++) {
		int fd;
		_source_ struct source *file = NULL;
		_err_ struct err *err = i->supply->module(i->supply->arg, &ask,
							  &fd);
		if (err)
			return false;
		_err_ struct err *bad = source_fd(fd, m->path ? m->path : "?",
						  &file);
		if (!bad && try_file(i, n, file)) {
			i->states[n].found_at_path = true;
			i->states[n].nth = ask.nth;
			take(file);
			return true;
		}
	}
	return false;
}

/* ---- what stands in for a file ------------------------------------------------- */
static bool
show_image(struct insp *i, size_t n, uint8_t *image, size_t size)
{
	struct module_state *s = &i->states[n];
	const char *path = i->modules[n].path;

	s->image = image;
	s->elf = elf_memory((char *)image, size);
	_err_ struct err *err = source_mem(image, size, path ? path : "module",
					   &s->file);
	if (s->elf && !err)
		s->kind = MODULE_FILE_COMPOSED;
	return s->kind == MODULE_FILE_COMPOSED;
}

/* It came with the target, and has the module's id. */
static bool
take_attached(struct insp *i, size_t n)
{
	struct module_state *s = &i->states[n];
	const char *path = i->modules[n].path;
	struct span bytes;

	if (!attached_find(i, &i->modules[n].id, false, &bytes))
		return false;
	s->elf = elf_memory((char *)bytes.data, bytes.n);
	_err_ struct err *err = source_mem(bytes.data, bytes.n,
					   path ? path : "module", &s->file);
	if (!s->elf || err)
		return false;
	s->kind = MODULE_FILE_EXACT;
	fill_bias(&i->modules[n], s->elf);
	return true;
}

static bool
compose_skeleton(struct insp *i, size_t n)
{
	const struct snap_module *m = &i->modules[n];
	struct module_state *s = &i->states[n];
	struct target *t = i->target;
	uint8_t *image;

	if (m->skeleton == SNAP_NO_SKELETON || !t->ops->skeleton)
		return false;
	struct err *err = t->ops->skeleton(t, m->skeleton, &s->extents,
					   &s->n_extents);
	if (!err)
		err = compose(s->extents, s->n_extents, m->file_size, &image);
	if (err) {
		insp_add_gap(i, "%s: %s", m->path ? m->path : "a module",
			     err_text(err));
		err_free(err);
		return false;
	}
	return show_image(i, n, image, m->file_size);
}

/* The vdso has no file, but memory holds all of it. */
static bool
image_from_memory(struct insp *i, size_t n)
{
	const struct snap_module *m = &i->modules[n];
	uint64_t size = m->end - m->start;
	_free_ uint8_t *image = NULL;

	if (!(m->flags & SNAP_MODULE_VDSO) || size == 0 || size > VDSO_MAX)
		return false;
	image = malloc(size);
	if (!image)
		return false;
	_err_ struct err *err = space_read_below(i->space, m->start, size, image);
	return !err && show_image(i, n, take(image), size);
}

static void
resolve(struct insp *i, size_t n)
{
	const struct snap_module *m = &i->modules[n];

	/* Set first: checking a candidate reads memory, which may ask here. */
	i->states[n].asked = true;
	if ((m->flags & SNAP_MODULE_MAIN) && i->exe && try_file(i, n, i->exe))
		return;
	if (image_from_memory(i, n) || take_attached(i, n) || ask_supply(i, n)
	    || compose_skeleton(i, n))
		return;
	insp_add_gap(i, "%s: no file with its id was found; its functions "
		     "have no names%s", m->path ? m->path : "a module",
		     m->id.kind == ID_NONE ? " (it has no build-id)" : "");
}

static struct module_state *
resolved(struct insp *i, size_t n)
{
	if (!i->states[n].asked)
		resolve(i, n);
	return &i->states[n];
}

/* ---- bytes of mapped files ------------------------------------------------------- */
static struct err *
read_extents(const struct module_state *s, uint64_t off, size_t n, void *out)
{
	for (size_t k = 0; k < s->n_extents; k++) {
		const struct snap_extent *e = &s->extents[k];

		if (e->offset > off || n > e->bytes.n
		    || off - e->offset > e->bytes.n - n)
			continue;
		memcpy(out, (const char *)e->bytes.data + (off - e->offset), n);
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "the file is not at hand");
}

static struct err *
file_bytes(void *arg, const struct snap_map *map, uint32_t module, uint64_t off,
	   size_t n, void *out)
{
	struct insp *i = arg;
	size_t k = module;

	if (module == UINT32_MAX) {
		k = insp_module_at(i, map->start);
		if (k == INSP_NONE || !i->modules[k].path
		    || strcmp(i->modules[k].path, map->path) != 0)
			return err_new(ERR_NOTFOUND, "no module is mapped "
				       "there");
	}
	if (k >= i->n_modules)
		return err_new(ERR_DAMAGED, "module %zu does not exist", k);
	const struct module_state *s = resolved(i, k);
	if (s->kind == MODULE_FILE_EXACT || s->kind == MODULE_FILE_UNVERIFIED)
		return source_read(s->file, off, n, out);
	return read_extents(s, off, n, out);
}

/* ---- the program by the user's word ------------------------------------------------- */
/* Where a segment of the program has been mapped that nobody writes to. */
static void
name_mapping(struct insp *i, Elf *elf, uint64_t bias, struct snap_map *map)
{
	uint64_t start = map->start - bias, last = map->end - 1 - bias;
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++) {
		if (!gelf_getphdr(elf, (int)k, &ph) || (ph.p_flags & PF_W)
		    || ph.p_type != PT_LOAD || start < (ph.p_vaddr & -4096ull)
		    || last > ((ph.p_vaddr + ph.p_filesz - 1) | 4095))
			continue;
		map->path = source_name(i->exe);
		map->offset = start - (ph.p_vaddr - ph.p_offset);
	}
}

/*
 * A core without a list of mapped files, and without their bytes, as emulators
 * write them: the program's text is then read from the file.
 */
static struct err *
name_mappings(struct insp *i, Elf *elf, uint64_t bias)
{
	struct target *t = i->target;
	struct snap_map *maps = arena_dup(t->arena, t->maps,
					  t->n_maps * sizeof(*maps));

	if (!maps)
		return err_nomem();
	for (size_t k = 0; k < t->n_maps; k++)
		if (!maps[k].path && !(maps[k].perm & SNAP_PERM_W))
			name_mapping(i, elf, bias, &maps[k]);
	t->maps = maps;
	return NULL;
}

static struct err *
add_exe(struct insp *i)
{
	struct snap_module m = {
		.flags = SNAP_MODULE_MAIN, .path = source_name(i->exe),
		.skeleton = SNAP_NO_SKELETON, .start = UINT64_MAX,
	};
	Elf *elf = open_elf(i->exe);
	uint64_t entry = 0;
	size_t n = 0;
	GElf_Ehdr eh;
	GElf_Phdr ph;
	struct err *err;

	if (elf)
		elf_getphdrnum(elf, &n);
	if (!elf || !gelf_getehdr(elf, &eh)
	    || (!insp_auxv(i, AT_ENTRY, &entry) && eh.e_type != ET_EXEC)) {
		elf_end(elf);
		return err_new(ERR_FAILED, "the core does not say where %s was "
			       "loaded", source_name(i->exe));
	}
	if (eh.e_type != ET_EXEC)
		m.bias = entry - eh.e_entry;
	for (size_t k = 0; k < n; k++) {
		if (!gelf_getphdr(elf, (int)k, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (ph.p_vaddr < m.start)
			m.start = ph.p_vaddr;
		if (ph.p_vaddr + ph.p_memsz > m.end)
			m.end = ph.p_vaddr + ph.p_memsz;
	}
	m.start += m.bias;
	m.end += m.bias;
	files_id(elf, &m.id);
	err = name_mappings(i, elf, m.bias);
	elf_end(elf);
	if (err)
		return err;
	insp_add_gap(i, "the core does not say which program it is of: %s was "
		     "taken by your word", source_name(i->exe));
	return modules_add(i, &m);
}

static struct err *
check_exe(struct insp *i)
{
	char ours[2 * ID_MAX + 1], theirs[2 * ID_MAX + 1];
	struct module_id id = { 0 };
	size_t n = 0;

	while (n < i->n_modules && !(i->modules[n].flags & SNAP_MODULE_MAIN))
		n++;
	if (n == i->n_modules)
		return NULL;
	if (resolved(i, n)->file == i->exe)
		return NULL;
	Elf *elf = open_elf(i->exe);
	if (elf)
		files_id(elf, &id);
	elf_end(elf);
	id_text(&i->modules[n].id, theirs);
	id_text(&id, ours);
	return err_new(ERR_FAILED, "%s is not the program of this core: its "
		       "build-id is %s, the core's is %s",
		       source_name(i->exe), ours[0] ? ours : "missing",
		       theirs[0] ? theirs : "missing and the headers differ");
}

/* ---- life -------------------------------------------------------------------------------- */
static bool
has_main(const struct insp *i)
{
	for (size_t k = 0; k < i->n_modules; k++)
		if (i->modules[k].flags & SNAP_MODULE_MAIN)
			return true;
	return false;
}

struct err *
files_init(struct insp *i)
{
	elf_version(EV_CURRENT);
	if (i->exe && !has_main(i)) {
		struct err *err = add_exe(i);
		if (err)
			return err;
	}
	i->states = arena_array(i->arena, i->n_modules, sizeof(*i->states));
	if (i->n_modules && !i->states)
		return err_nomem();
	i->n_states = i->n_modules;
	space_set_files(i->space, file_bytes, i);
	for (size_t k = 0; k < i->n_modules; k++)
		if (i->modules[k].bias == MODULE_BIAS_UNKNOWN
		    && resolved(i, k)->kind == MODULE_FILE_NONE)
			i->modules[k].bias = i->modules[k].start;
	return i->exe ? check_exe(i) : NULL;
}

static void
close_states(struct insp *i)
{
	for (size_t k = 0; k < i->n_states; k++) {
		struct module_state *s = &i->states[k];

		elf_end(s->elf);
		if (s->file != i->exe)
			source_free(s->file);
		free(s->image);
	}
	i->n_states = 0;
}

struct err *
files_again(struct insp *i)
{
	space_set_files(i->space, NULL, NULL);
	close_states(i);
	return files_init(i);
}

void
files_fini(struct insp *i)
{
	const struct debug_file *d = i->debug_files.data;

	close_states(i);
	for (size_t k = 0; k < i->debug_files.n; k++)
		source_free(d[k].file);
}

Elf *
files_elf(struct insp *i, size_t module)
{
	return resolved(i, module)->elf;
}

bool
files_candidate(struct insp *i, size_t module, uint32_t *nth)
{
	const struct module_state *s = resolved(i, module);

	*nth = s->nth;
	return s->found_at_path;
}

enum module_file
insp_module_file_kind(struct insp *i, size_t module)
{
	return resolved(i, module)->kind;
}

bool
insp_module_file_known(const struct insp *i, size_t module,
		       enum module_file *out)
{
	if (module >= i->n_modules || !i->states[module].asked)
		return false;
	*out = i->states[module].kind;
	return true;
}

struct err *
insp_module_file(struct insp *i, size_t module, struct source **out)
{
	struct module_state *s = resolved(i, module);

	if (s->kind == MODULE_FILE_NONE)
		return err_new(ERR_NOTFOUND, "%s: no file with its id was found",
			       i->modules[module].path
			       ? i->modules[module].path : "a module");
	*out = s->file;
	return NULL;
}

struct err *
insp_module_skeleton(struct insp *i, size_t module,
		     const struct snap_extent **out, size_t *n,
		     uint64_t *file_size)
{
	struct module_state *s = resolved(i, module);

	if (s->kind == MODULE_FILE_NONE
	    || (i->modules[module].flags & SNAP_MODULE_VDSO))
		return err_new(ERR_NOTFOUND, "there is no file to make a "
			       "skeleton of");
	if (!s->extents) {
		struct err *err = skeleton_of(s->elf, s->file, i->arena,
					      &s->extents, &s->n_extents);
		if (err)
			return err;
	}
	*out = s->extents;
	*n = s->n_extents;
	*file_size = i->modules[module].file_size;
	return NULL;
}

/* ---- separate debug files -------------------------------------------------------------------- */
static bool
is_debug_file(int fd, const struct module_id *want)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	struct module_id id = { 0 };

	if (elf && elf_kind(elf) == ELF_K_ELF)
		files_id(elf, &id);
	elf_end(elf);
	return id_equal(&id, want);
}

int
files_debug(struct insp *i, const struct supply_ask *asked)
{
	struct supply_ask ask = *asked;

	if (!i->supply || ask.id.kind == ID_NONE)
		return -1;
	for (ask.nth = 0; ask.nth < CANDIDATES_MAX; ask.nth++) {
		int fd = -1;
		_err_ struct err *err = i->supply->module(i->supply->arg, &ask,
							  &fd);
		if (err)
			return -1;
		if (is_debug_file(fd, &ask.id))
			return fd;
		base_close(&fd);
	}
	return -1;
}

static struct err *
debug_file_open(struct insp *i, struct debug_file *d)
{
	struct supply_ask ask = { .kind = SUPPLY_DEBUG, .id = d->id };
	struct span bytes;

	if (attached_find(i, &d->id, true, &bytes))
		return source_mem(bytes.data, bytes.n, "debug file", &d->file);
	int fd = files_debug(i, &ask);

	return fd < 0 ? NULL : source_fd(fd, "debug file", &d->file);
}

struct err *
files_debug_source(struct insp *i, const struct module_id *id,
		   struct source **out)
{
	struct debug_file *d = i->debug_files.data;
	size_t k = 0;

	while (k < i->debug_files.n && !id_equal(&d[k].id, id))
		k++;
	if (k == i->debug_files.n) {
		d = vec_add(&i->debug_files, i->arena, sizeof(*d));
		if (!d)
			return err_nomem();
		d->id = *id;
		struct err *err = debug_file_open(i, d);
		if (err)
			return err;
	} else {
		d += k;
	}
	if (!d->file)
		return err_new(ERR_NOTFOUND, "no debug file with that id");
	*out = d->file;
	return NULL;
}
