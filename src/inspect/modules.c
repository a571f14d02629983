/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the modules of a target that does not list them: the executable by
 * auxv, libraries along the dynamic linker's chain (struct r_debug of link.h),
 * the vdso, and mapped ELF files that no chain names.
 */
#include "inspect/image.h"
#include "inspect/impl.h"

#include <link.h>
#include <string.h>

#define LINK_MAPS_MAX 65536u
#define NAMESPACES_MAX 64u
#define NAME_MAX_BYTES 4096u

struct finder {
	struct insp *insp;
	struct vec found;       /* struct snap_module */
	struct image image;     /* scratch: too large for the stack */
	uint64_t interp;        /* where the executable names its linker */
};

/**
 * Does a mapping of offset 0 begin a load of its file? Small libraries map
 * their first page a second time, for their data.
 */
static bool
begins_load(const struct snap_map *m)
{
	return m->path && m->offset == 0 && !(m->perm & SNAP_PERM_W);
}

/** The mapping that begins the load of the file mapped at @addr. */
static const struct snap_map *
file_start(const struct target *t, uint64_t addr)
{
	const struct snap_map *first = NULL;
	const char *path = NULL;

	for (size_t k = 0; k < t->n_maps; k++)
		if (t->maps[k].start <= addr && addr < t->maps[k].end)
			path = t->maps[k].path;
	for (size_t k = 0; path && k < t->n_maps; k++) {
		const struct snap_map *m = &t->maps[k];

		if (m->start <= addr && begins_load(m)
		    && strcmp(m->path, path) == 0)
			first = m;
	}
	return first;
}

static uint64_t
file_end(const struct target *t, const struct snap_map *first)
{
	const struct snap_map *limit = t->maps + t->n_maps;
	uint64_t end = first->end;

	for (const struct snap_map *m = first; first->path && m < limit; m++) {
		if (!m->path || strcmp(m->path, first->path) != 0)
			continue;
		if (m != first && begins_load(m))
			break;
		end = m->end;
	}
	return end;
}

static struct snap_module *
find_start(struct finder *f, uint64_t start)
{
	struct snap_module *m = f->found.data;

	for (size_t k = 0; k < f->found.n; k++)
		if (m[k].start == start)
			return &m[k];
	return NULL;
}

static struct snap_module *
add_module(struct finder *f)
{
	struct snap_module *m = vec_add(&f->found, f->insp->arena, sizeof(*m));

	if (m)
		m->skeleton = SNAP_NO_SKELETON;
	return m;
}

static struct err *
add_name(struct finder *f, struct snap_module *m, const char *name)
{
	const char **names;

	if (!name[0])
		return NULL;
	for (size_t k = 0; k < m->n_names; k++)
		if (strcmp(m->names[k], name) == 0)
			return NULL;
	names = arena_array(f->insp->arena, m->n_names + 1, sizeof(*names));
	if (!names)
		return err_nomem();
	for (size_t k = 0; k < m->n_names; k++)
		names[k] = m->names[k];
	names[m->n_names++] = name;
	m->names = names;
	return NULL;
}

/* What the image in memory says; the mapping decides where it says nothing. */
static void
take_image(struct finder *f, struct snap_module *m)
{
	/* A second mapping of the first page is not where the image starts. */
	m->bias = f->image.type == ET_EXEC ? 0 : f->image.bias;
	m->start = m->bias + f->image.start;
	m->end = f->image.end > m->end ? f->image.end : m->end;
	if (!m->dynamic)
		m->dynamic = f->image.dynamic;
	image_id(f->insp->space, &f->image, &m->id);
}

static void
fill_from_image(struct finder *f, struct snap_module *m, uint64_t base)
{
	_err_ struct err *err = image_read(f->insp->space, base, &f->image);

	if (!err)
		take_image(f, m);
}

/* ---- the executable --------------------------------------------------------- */
/*
 * Its headers were not captured: it is known by its mapping, and if its file
 * is found, the headers are read from there in a second round.
 */
static struct err *
add_main_by_mapping(struct finder *f, uint64_t phdrs)
{
	const struct snap_map *map = file_start(f->insp->target, phdrs);

	f->insp->main_headers_absent = true;
	if (!map)
		return NULL;
	struct snap_module *m = add_module(f);
	if (!m)
		return err_nomem();
	m->flags = SNAP_MODULE_MAIN;
	m->start = map->start;
	m->end = file_end(f->insp->target, map);
	m->bias = MODULE_BIAS_UNKNOWN;
	m->path = map->path;
	return NULL;
}

static struct err *
add_main(struct finder *f, uint64_t *dynamic)
{
	struct insp *i = f->insp;
	uint64_t phdrs, n;

	*dynamic = 0;
	if (!insp_auxv(i, AT_PHDR, &phdrs) || !insp_auxv(i, AT_PHNUM, &n))
		return NULL;
	_err_ struct err *err = image_of_phdrs(i->space, phdrs, n, &f->image);
	if (err)
		return add_main_by_mapping(f, phdrs);
	i->main_headers_absent = false;
	struct snap_module *m = add_module(f);
	if (!m)
		return err_nomem();
	const struct snap_map *map = file_start(i->target, f->image.base);
	m->flags = SNAP_MODULE_MAIN;
	m->start = f->image.base;
	m->end = f->image.end;
	m->bias = f->image.bias;
	m->dynamic = *dynamic = f->image.dynamic;
	m->path = map ? map->path : NULL;
	f->interp = f->image.interp;
	image_id(i->space, &f->image, &m->id);
	return NULL;
}

/* ---- the dynamic linker's chain ------------------------------------------------ */
uint64_t
insp_r_debug(struct insp *i, uint64_t dynamic)
{
	for (size_t k = 0; dynamic && k < 512; k++) {
		Elf64_Dyn d;
		_err_ struct err *err = space_read(i->space,
						   dynamic + k * sizeof(d),
						   sizeof(d), &d);

		if (err || d.d_tag == DT_NULL)
			return 0;
		if (d.d_tag == DT_DEBUG)
			return d.d_un.d_ptr;
	}
	return 0;
}

/* A relative name was relative to the directory at the time of dlopen. */
static struct err *
link_map_name(struct finder *f, struct snap_module *m, uint64_t addr)
{
	const char *name;
	_err_ struct err *err = space_string(f->insp->space, addr,
					     NAME_MAX_BYTES, f->insp->arena,
					     &name);
	if (err)
		return NULL;
	struct err *failed = add_name(f, m, name);
	if (!failed && !m->path && name[0] == '/')
		m->path = name;
	return failed;
}

static struct snap_module *
find_dynamic(struct finder *f, uint64_t dynamic)
{
	struct snap_module *m = f->found.data;

	for (size_t k = 0; k < f->found.n; k++)
		if (m[k].dynamic == dynamic)
			return &m[k];
	return NULL;
}

/* Where its first page is mapped: at the bias, unless it was prelinked. */
static const struct snap_map *
linked_start(const struct target *t, const struct link_map *lm)
{
	const struct snap_map *by_ld =
		file_start(t, (uint64_t)(uintptr_t)lm->l_ld);

	for (size_t k = 0; by_ld && k < t->n_maps; k++)
		if (t->maps[k].start == lm->l_addr && t->maps[k].path
		    && strcmp(t->maps[k].path, by_ld->path) == 0)
			return &t->maps[k];
	return by_ld;
}

/* Where no mapping has a name: its dynamic section is in its last segment. */
static uint64_t
end_by_dynamic(const struct finder *f, const struct link_map *lm)
{
	const struct snap_map *map = space_map(f->insp->space,
					       (uintptr_t)lm->l_ld);

	return map && map->end > lm->l_addr ? map->end : lm->l_addr;
}

static struct snap_module *
module_of_link_map(struct finder *f, const struct link_map *lm, bool first)
{
	const struct snap_map *map = linked_start(f->insp->target, lm);
	struct snap_module *m;

	if (first && f->found.n)
		return f->found.data;
	m = find_dynamic(f, (uint64_t)(uintptr_t)lm->l_ld);
	if (!m)
		m = find_start(f, map ? map->start : lm->l_addr);
	if (m)
		return m;
	m = add_module(f);
	if (!m)
		return NULL;
	m->bias = lm->l_addr;
	m->start = map ? map->start : lm->l_addr;
	m->end = map ? file_end(f->insp->target, map) : end_by_dynamic(f, lm);
	m->path = map ? map->path : NULL;
	m->dynamic = (uint64_t)(uintptr_t)lm->l_ld;
	fill_from_image(f, m, m->start);
	m->bias = lm->l_addr;
	return m;
}

/**
 * Take in the entry at *@addr and move on. An entry that does not link back
 * to where the walk came from ends it: so no chain runs in a circle.
 */
static struct err *
take_link_map(struct finder *f, uint64_t *addr, uint64_t *from, bool first)
{
	struct link_map lm;

	struct err *err = space_read(f->insp->space, *addr, sizeof(lm), &lm);
	if (err)
		return err;
	if ((uint64_t)(uintptr_t)lm.l_prev != *from)
		return err_new(ERR_DAMAGED, "the entry at 0x%llx does not link "
			       "back", (unsigned long long)*addr);
	struct snap_module *m = module_of_link_map(f, &lm, first);
	if (!m)
		return err_nomem();
	if (!m->link_map)
		m->link_map = *addr;
	*from = *addr;
	*addr = (uint64_t)(uintptr_t)lm.l_next;
	return link_map_name(f, m, (uint64_t)(uintptr_t)lm.l_name);
}

static struct err *
walk_chain(struct finder *f, uint64_t map, bool with_main)
{
	uint64_t from = 0;

	for (uint32_t n = 0; map; n++) {
		if (n == LINK_MAPS_MAX) {
			insp_add_gap(f->insp, "the list of libraries does not "
				     "end after %u entries", LINK_MAPS_MAX);
			return NULL;
		}
		struct err *err = take_link_map(f, &map, &from,
						with_main && n == 0);
		if (err && err_kind(err) == ERR_NOMEM)
			return err;
		if (err) {
			insp_add_gap(f->insp, "the list of libraries is cut "
				     "after %u entries: %s", n, err_text(err));
			err_free(err);
			return NULL;
		}
	}
	return NULL;
}

/*
 * glibc 2.35 and later: r_version 2 has r_next behind it, one struct r_debug
 * for each dlmopen namespace.
 */
static struct err *
add_linked(struct finder *f, uint64_t dynamic)
{
	uint64_t at = insp_r_debug(f->insp, dynamic);

	if (dynamic && !at)
		insp_add_gap(f->insp, "the dynamic linker's list of libraries "
			     "was not found: modules are known by their "
			     "mappings only");
	for (uint32_t n = 0; at && n < NAMESPACES_MAX; n++) {
		struct { int version; uint64_t map, brk, state, base, next; } d;
		size_t size = sizeof(d);
		_err_ struct err *err = space_read(f->insp->space, at, size,
						   &d);

		if (err) {
			insp_add_gap(f->insp, "the dynamic linker's list of "
				     "libraries cannot be read: %s",
				     err_text(err));
			return NULL;
		}
		struct err *failed = walk_chain(f, d.map, n == 0);
		if (failed)
			return failed;
		at = d.version >= 2 ? d.next : 0;
	}
	return NULL;
}

/* ---- what no chain names ---------------------------------------------------------- */
static struct err *
add_vdso(struct finder *f)
{
	uint64_t base;

	if (!insp_auxv(f->insp, AT_SYSINFO_EHDR, &base))
		return NULL;
	struct region r;
	space_region(f->insp->space, base, &r);
	if (!r.captured || find_start(f, base))
		return NULL;
	struct snap_module *m = add_module(f);
	if (!m)
		return err_nomem();
	m->flags = SNAP_MODULE_VDSO;
	m->start = base;
	m->end = r.end;
	m->bias = base;
	fill_from_image(f, m, base);
	return add_name(f, m, "linux-vdso.so.1");
}

static struct snap_module *
covering(struct finder *f, uint64_t addr)
{
	struct snap_module *m = f->found.data;

	for (size_t k = 0; k < f->found.n; k++)
		if (m[k].start <= addr && addr < m[k].end)
			return &m[k];
	return NULL;
}

/* A second mapping of the first page tells what the first one could not. */
static struct err *
add_image(struct finder *f, const struct snap_map *map)
{
	uint64_t bias = f->image.type == ET_EXEC ? 0 : f->image.bias;
	struct snap_module *m = find_start(f, bias + f->image.start);

	if (!m)
		m = add_module(f);
	if (!m)
		return err_nomem();
	if (!m->path)
		m->path = map->path;
	m->end = file_end(f->insp->target, map);
	take_image(f, m);
	return NULL;
}

/* A copy of the first page has headers too, but not what they speak of. */
static bool
image_is_whole(struct finder *f)
{
	struct region r;

	space_region(f->insp->space, f->image.dynamic, &r);
	return f->image.dynamic == 0 || r.mapped
	       || f->image.type == ET_EXEC;
}

static struct err *
add_mapped(struct finder *f)
{
	const struct target *t = f->insp->target;
	struct err *failed = NULL;

	for (size_t k = 0; k < t->n_maps && !failed; k++) {
		const struct snap_map *map = &t->maps[k];

		if (!map->path || map->offset != 0 || covering(f, map->start))
			continue;
		_err_ struct err *err = image_read(f->insp->space, map->start,
						   &f->image);
		if (!err && image_is_whole(f))
			failed = add_image(f, map);
	}
	return failed;
}

/*
 * Before the dynamic linker has made its chain, it has the name that it is
 * going to give itself there: to a debugger it would else be another library
 * than the one that it finds a moment later.
 */
static struct err *
name_interp(struct finder *f, struct snap_module *m)
{
	const char *name;

	if (m->n_names || !f->interp)
		return NULL;
	_err_ struct err *err = space_string(f->insp->space, f->interp,
					     NAME_MAX_BYTES, f->insp->arena,
					     &name);
	return err || name[0] != '/' ? NULL : add_name(f, m, name);
}

static struct err *
mark_interp(struct finder *f)
{
	uint64_t base;

	if (!insp_auxv(f->insp, AT_BASE, &base) || !base)
		return NULL;
	struct snap_module *m = find_start(f, base);
	if (!m)
		return NULL;
	m->flags |= SNAP_MODULE_INTERP;
	return name_interp(f, m);
}

static struct err *
discover(struct finder *f)
{
	uint64_t dynamic;

	struct err *err = add_main(f, &dynamic);
	if (!err)
		err = add_vdso(f);
	if (!err && f->insp->main_headers_absent) {
		err = add_mapped(f);
		const struct snap_module *main_module = f->found.data;
		dynamic = f->found.n ? main_module->dynamic : 0;
	}
	if (!err)
		err = add_linked(f, dynamic);
	if (!err)
		err = add_mapped(f);
	if (!err)
		err = mark_interp(f);
	return err;
}

/* Insertion: the tables come nearly sorted, and are small. */
static struct err *
index_modules(struct insp *i)
{
	uint32_t *index = arena_array(i->arena, i->n_modules, sizeof(*index));

	if (i->n_modules && !index)
		return err_nomem();
	for (size_t n = 0; n < i->n_modules; n++) {
		size_t at = n;

		while (at && i->modules[index[at - 1]].start
			     > i->modules[n].start) {
			index[at] = index[at - 1];
			at--;
		}
		index[at] = (uint32_t)n;
	}
	i->by_start = index;
	return NULL;
}

static struct err *
modules_discover(struct insp *i)
{
	struct finder *f = arena_alloc(i->arena, sizeof(*f));

	if (!f)
		return err_nomem();
	f->insp = i;
	struct err *err = discover(f);
	i->modules = f->found.data;
	i->n_modules = f->found.n;
	return err;
}

struct err *
modules_find(struct insp *i)
{
	const struct target *t = i->target;

	if (t->n_modules == 0) {
		struct err *err = modules_discover(i);
		if (err)
			return err;
	} else {
		i->n_modules = t->n_modules;
		i->modules = arena_dup(i->arena, t->modules,
				       t->n_modules * sizeof(*t->modules));
		if (!i->modules)
			return err_nomem();
	}
	return index_modules(i);
}

struct err *
modules_add(struct insp *i, const struct snap_module *m)
{
	struct snap_module *all = arena_array(i->arena, i->n_modules + 1,
					      sizeof(*all));

	if (!all)
		return err_nomem();
	if (i->n_modules)
		memcpy(all, i->modules, i->n_modules * sizeof(*all));
	all[i->n_modules++] = *m;
	i->modules = all;
	return index_modules(i);
}

/* ---- questions ------------------------------------------------------------------------ */
const struct snap_module *
insp_modules(const struct insp *i, size_t *n)
{
	*n = i->n_modules;
	return i->modules;
}

size_t
insp_module_at(const struct insp *i, uint64_t addr)
{
	size_t low = 0, high = i->n_modules;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (i->modules[i->by_start[mid]].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || addr >= i->modules[i->by_start[low - 1]].end)
		return INSP_NONE;
	return i->by_start[low - 1];
}

static bool
module_has_name(const struct snap_module *m, const char *name)
{
	if (m->path && strcmp(m->path, name) == 0)
		return true;
	for (size_t k = 0; k < m->n_names; k++)
		if (strcmp(m->names[k], name) == 0)
			return true;
	return false;
}

size_t
insp_module_named(const struct insp *i, const char *name)
{
	for (size_t k = 0; k < i->n_modules; k++)
		if (module_has_name(&i->modules[k], name))
			return k;
	return INSP_NONE;
}
