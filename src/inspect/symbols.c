/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and lines through libdwfl, which gets every file from files.c and
 * never opens a path: in a jail that would be the end.
 */
#include "inspect/impl.h"

#include <elfutils/libdwelf.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 4096u               /* a power of two */
#define MANGLED_MAX 4096u               /* the demangler is superlinear */

/** What libdwfl's callbacks are told of a module. */
struct module_view {
	struct insp *insp;
	size_t module;
	Dwfl_Module *dwfl;
	bool debug_asked, dwarf_asked, dwarf_usable;
};

struct symbol_slot {
	uint64_t addr;
	bool used, found;
	struct symbol symbol;
};

/** A dwz alternate, shared by the debug files that name it. */
struct alternate {
	Dwarf *dwarf;
	int fd;
};

struct symbols {
	Dwfl *dwfl;
	struct module_view *views;
	struct symbol_slot *cache;
	struct vec alternates;
};

/* ---- libdwfl's callbacks ---------------------------------------------------- */
static int
find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
	 char **file_name, Elf **elfp)
{
	(void)mod, (void)base;
	struct module_view *v = *userdata;
	Elf *elf = v ? files_elf(v->insp, v->module) : NULL;

	*file_name = NULL;
	/* One more reference: libdwfl ends the one it is given. */
	*elfp = elf ? elf_begin(-1, ELF_C_READ_MMAP, elf) : NULL;
	if (*elfp)
		*file_name = strdup(name);
	return -1;
}

/* libdwfl asks for dwz alternates in the same way: those have other names. */
static bool
is_debuglink(Elf *elf, const char *link)
{
	GElf_Word crc;
	const char *name = link ? dwelf_elf_gnu_debuglink(elf, &crc) : NULL;

	return !link || (name && strcmp(name, link) == 0);
}

static int
find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
	       Dwarf_Addr base, const char *file_name, const char *link,
	       GElf_Word crc, char **debug_name)
{
	(void)mod, (void)name, (void)base, (void)file_name, (void)crc;
	struct module_view *v = *userdata;
	struct supply_ask ask = { .kind = SUPPLY_DEBUG, .link = link };
	Elf *elf = v ? files_elf(v->insp, v->module) : NULL;

	if (!elf || v->debug_asked || !is_debuglink(elf, link))
		return -1;
	v->debug_asked = true;
	files_id(elf, &ask.id);
	ask.path = v->insp->modules[v->module].path;
	int fd = files_debug(v->insp, &ask);
	if (fd >= 0)
		*debug_name = strdup("debug file");
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* ---- life ----------------------------------------------------------------------- */
static void
report_module(struct insp *i, size_t n)
{
	struct module_view *v = &i->symbols->views[n];
	const struct snap_module *m = &i->modules[n];
	const char *name = m->path ? m->path : "module";
	void **userdata;

	v->insp = i;
	v->module = n;
	if (m->start >= m->end)
		return;
	v->dwfl = dwfl_report_module(i->symbols->dwfl, name, m->start, m->end);
	if (!v->dwfl)
		return;
	dwfl_module_info(v->dwfl, &userdata, NULL, NULL, NULL, NULL, NULL,
			 NULL);
	*userdata = v;
}

struct err *
symbols_init(struct insp *i)
{
	struct symbols *s = i->symbols = arena_alloc(i->arena, sizeof(*s));

	if (!s)
		return err_nomem();
	s->views = arena_array(i->arena, i->n_modules, sizeof(*s->views));
	s->dwfl = dwfl_begin(&callbacks);
	if ((i->n_modules && !s->views) || !s->dwfl)
		return err_nomem();
	dwfl_report_begin(s->dwfl);
	for (size_t n = 0; n < i->n_modules; n++)
		report_module(i, n);
	dwfl_report_end(s->dwfl, NULL, NULL);
	return NULL;
}

void
symbols_fini(struct insp *i)
{
	if (!i->symbols)
		return;
	if (i->symbols->dwfl)
		dwfl_end(i->symbols->dwfl);
	struct alternate *a = i->symbols->alternates.data;
	for (size_t k = 0; k < i->symbols->alternates.n; k++) {
		dwarf_end(a[k].dwarf);
		base_close(&a[k].fd);
	}
}

Dwfl_Module *
symbols_module(struct insp *i, size_t module)
{
	if (module >= i->n_modules || !files_elf(i, module))
		return NULL;
	return i->symbols->views[module].dwfl;
}

/* ---- names -------------------------------------------------------------------------- */
/* glibc's own symbol table has "name@VERSION" and "name@@VERSION". */
static const char *
without_version(struct insp *i, const char *name)
{
	const char *at = strchr(name, '@');
	char *plain = at && at > name
		      ? arena_strndup(i->arena, name, (size_t)(at - name))
		      : NULL;

	return plain ? plain : name;
}

static const char *
demangled(struct insp *i, const char *linkage)
{
	if (strnlen(linkage, MANGLED_MAX) == MANGLED_MAX)
		return linkage;
	_free_ char *plain = cplus_demangle(linkage, DMGL_AUTO | DMGL_ANSI
					    | DMGL_PARAMS | DMGL_VERBOSE);
	const char *name = plain ? arena_strdup(i->arena, plain) : NULL;
	return name ? name : without_version(i, linkage);
}

static bool
look_up(struct insp *i, uint64_t addr, struct symbol *out)
{
	size_t module = insp_module_at(i, addr);
	Dwfl_Module *mod = symbols_module(i, module);
	GElf_Off off;
	GElf_Sym sym;

	if (!mod)
		return false;
	const char *name = dwfl_module_addrinfo(mod, addr, &off, &sym, NULL,
						NULL, NULL);
	if (!name || !name[0])
		return false;
	*out = (struct symbol){
		.linkage = arena_strdup(i->arena, name),
		.address = addr - off, .size = sym.st_size, .module = module,
	};
	if (!out->linkage)
		return false;
	out->name = demangled(i, out->linkage);
	return true;
}

static struct symbol_slot *
cache_slot(struct insp *i, uint64_t addr)
{
	struct symbols *s = i->symbols;
	uint64_t hash = (addr * 0x9e3779b97f4a7c15ull) >> 32;

	if (!s->cache)
		s->cache = arena_array(i->arena, CACHE_SLOTS,
				       sizeof(*s->cache));
	return s->cache ? &s->cache[hash & (CACHE_SLOTS - 1)] : NULL;
}

struct err *
insp_symbol(struct insp *i, uint64_t addr, struct symbol *out)
{
	struct symbol_slot *slot = cache_slot(i, addr);

	if (!slot)
		return err_nomem();
	if (!slot->used || slot->addr != addr) {
		slot->used = true;
		slot->addr = addr;
		slot->found = look_up(i, addr, &slot->symbol);
	}
	if (!slot->found)
		return err_new(ERR_NOTFOUND, "no symbol covers 0x%llx",
			       (unsigned long long)addr);
	*out = slot->symbol;
	return NULL;
}

static bool
is_definition(const GElf_Sym *sym)
{
	return sym->st_shndx != SHN_UNDEF
	       && GELF_ST_TYPE(sym->st_info) != STT_SECTION
	       && GELF_ST_TYPE(sym->st_info) != STT_FILE;
}

struct err *
insp_symbol_address(struct insp *i, size_t module, const char *linkage,
		    uint64_t *out)
{
	Dwfl_Module *mod = symbols_module(i, module);
	int n = mod ? dwfl_module_getsymtab(mod) : -1;

	for (int k = 0; k < n; k++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(mod, k, &sym, &addr,
							   NULL, NULL, NULL);

		if (name && is_definition(&sym) && strcmp(name, linkage) == 0) {
			*out = addr;
			return NULL;
		}
	}
	return err_new(ERR_NOTFOUND, "no symbol %s", linkage);
}

/* ---- lines ---------------------------------------------------------------------------- */
/*
 * A file that was shrunk by dwz needs its alternate, and libdw would open
 * paths to find one that it has not been given. So give it one, or do not
 * touch the file's DWARF at all.
 */
static bool
alternate_ready(struct insp *i, Dwarf *dwarf)
{
	struct supply_ask ask = { .kind = SUPPLY_ALT };
	const void *bits;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(dwarf, &ask.link, &bits);

	if (n == 0)
		return true;
	if (n < 0 || n > ID_MAX)
		return false;
	ask.id.kind = ID_GNU_BUILD_ID;
	ask.id.len = (uint8_t)n;
	memcpy(ask.id.bytes, bits, (size_t)n);
	int fd = files_debug(i, &ask);
	Dwarf *alt = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);
	if (!alt) {
		base_close(&fd);
		return false;
	}
	struct alternate *a = vec_add(&i->symbols->alternates, i->arena, sizeof(*a));
	if (!a) {
		dwarf_end(alt);
		base_close(&fd);
		return false;
	}
	*a = (struct alternate){ alt, fd };
	dwarf_setalt(dwarf, alt);
	return true;
}

static bool
dwarf_usable(struct insp *i, size_t module)
{
	struct module_view *v = &i->symbols->views[module];
	Dwarf_Addr bias;

	if (v->dwarf_asked)
		return v->dwarf_usable;
	v->dwarf_asked = true;
	Dwarf *dwarf = dwfl_module_getdwarf(v->dwfl, &bias);
	v->dwarf_usable = dwarf && alternate_ready(i, dwarf);
	if (dwarf && !v->dwarf_usable)
		insp_add_gap(i, "%s: its debug file needs another one (dwz), "
			     "which is not here: no lines",
			     i->modules[module].path);
	return v->dwarf_usable;
}

struct err *
insp_line(struct insp *i, uint64_t addr, struct line *out)
{
	size_t module = insp_module_at(i, addr);
	Dwfl_Module *mod = symbols_module(i, module);
	int line = 0, column = 0;

	Dwfl_Line *l = mod && dwarf_usable(i, module)
		       ? dwfl_module_getsrc(mod, addr) : NULL;
	const char *file = l ? dwfl_lineinfo(l, NULL, &line, &column, NULL,
					     NULL) : NULL;
	if (!file || line <= 0)
		return err_new(ERR_NOTFOUND, "no line is known for 0x%llx",
			       (unsigned long long)addr);
	out->file = file;
	out->line = (uint32_t)line;
	out->column = column > 0 ? (uint32_t)column : 0;
	return NULL;
}
