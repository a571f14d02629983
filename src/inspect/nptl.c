/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GNU C library's own list of its threads: where each has its struct
 * pthread, and so its thread pointer.
 *
 * A description is {bits, elements, offset} as u32. The lists go through
 * pthread.list; their heads are variables of the C library in a static
 * program, else fields of the dynamic linker's _rtld_global.
 */
#include <string.h>

#include "base/cut.h"
#include "inspect/arch.h"
#include "inspect/nptl.h"

#define FIELD_MAX 65536u
#define LIST_SLACK 1024u        /* more entries than threads, at most */

struct nptl_thread {
	uint64_t tid, pointer;
};
struct nptl {
	size_t library;                 /* the module that describes */
	uint32_t list_at, tid_at;       /* in struct pthread */
	uint32_t pthread_size;
	struct vec threads;             /* struct nptl_thread */
};

/* ---- descriptions ------------------------------------------------------- */
/* Before glibc 2.34 it was libpthread, in a static program it is itself. */
bool
nptl_is_library(const struct snap_module *m)
{
	static const char *const names[] = { "libc.so", "libc-",
					     "libpthread" };
	const char *base = cut_base(m->path);

	if (m->flags & SNAP_MODULE_MAIN)
		return true;
	for (size_t n = 0; base && n < countof(names); n++)
		if (strncmp(base, names[n], strlen(names[n])) == 0)
			return true;
	return false;
}

static struct err *
read_words(struct insp *i, size_t module, const char *symbol, size_t n,
	   uint32_t *out)
{
	uint8_t bytes[12] = { 0 };
	uint64_t addr;

	struct err *err = insp_symbol_address(i, module, symbol, &addr);
	if (!err)
		err = space_read_below(i->space, addr, 4 * n, bytes);
	if (err)
		return err;
	struct rd r = rd_of(bytes, 4 * n);
	for (size_t k = 0; k < n; k++)
		out[k] = rd_u32(&r);
	return NULL;
}

struct err *
nptl_field(struct insp *i, size_t module, const char *symbol, uint32_t bits,
	   uint32_t *at)
{
	uint32_t word[3];

	struct err *err = read_words(i, module, symbol, 3, word);
	if (err)
		return err;
	if (word[0] != bits || word[1] != 1 || word[2] > FIELD_MAX)
		return err_new(ERR_DAMAGED, "%s describes no %u-bit field",
			       symbol, bits);
	*at = word[2];
	return NULL;
}

/* ---- the lists ---------------------------------------------------------- */
static struct err *
describe(struct insp *i, size_t module, struct nptl *out)
{
	enum { LIST_BITS = 2 * 64 };

	struct err *err = nptl_field(i, module, "_thread_db_pthread_list",
				     LIST_BITS, &out->list_at);
	if (!err)
		err = nptl_field(i, module, "_thread_db_pthread_tid", 32,
				 &out->tid_at);
	if (!err)
		err = read_words(i, module, "_thread_db_sizeof_pthread", 1,
				 &out->pthread_size);
	if (!err && out->pthread_size > FIELD_MAX)
		return err_new(ERR_DAMAGED, "a thread's record of %u bytes",
			       out->pthread_size);
	return err;
}

static bool
find_library(struct insp *i, struct nptl *out)
{
	for (size_t k = 0; k < i->n_modules; k++) {
		if (!nptl_is_library(&i->modules[k]))
			continue;
		_err_ struct err *none = describe(i, k, out);
		out->library = k;
		if (!none)
			return true;
	}
	return false;
}

/* Of "_dl_stack_used" or "_dl_stack_user". */
static bool
list_head(struct insp *i, const struct nptl *n, const char *name,
	  uint64_t *out)
{
	char field[64];
	uint32_t at = 0;

	_err_ struct err *none = insp_symbol_address(i, n->library, name, out);
	if (!none)
		return true;
	snprintf(field, sizeof(field), "_thread_db_rtld_global_%s", name);
	_err_ struct err *no_field = nptl_field(i, n->library, field, 128, &at);
	for (size_t k = 0; !no_field && k < i->n_modules; k++) {
		_err_ struct err *not_here = insp_symbol_address(
			i, k, "_rtld_global", out);
		if (!not_here) {
			*out += at;
			return true;
		}
	}
	return false;
}

/* Behind the record where the thread pointer is above it, else at it. */
static struct err *
add_thread(struct insp *i, struct nptl *n, uint64_t record)
{
	uint8_t tid[4] = { 0 };

	struct err *err = space_read(i->space, record + n->tid_at, sizeof(tid),
				     tid);
	if (err)
		return err;
	struct nptl_thread *t = vec_add(&n->threads, i->arena, sizeof(*t));
	if (!t)
		return err_nomem();
	struct rd r = rd_of(tid, sizeof(tid));
	t->tid = rd_u32(&r);
	t->pointer = record + (arch_table_of(i->arch)->tls_above
			       ? n->pthread_size : 0);
	return NULL;
}

/* What cannot be read ends a list, and so does a circle without its head: the
 * threads before it are sound. */
static struct err *
walk_list(struct insp *i, struct nptl *n, uint64_t head)
{
	size_t max = i->target->n_threads + LIST_SLACK;
	uint64_t at = head;

	for (size_t k = 0; k < max; k++) {
		struct err *err = space_u64(i->space, at, &at);
		if (!err && at == head)
			return NULL;
		if (!err)
			err = add_thread(i, n, at - n->list_at);
		if (err_kind(err) == ERR_NOMEM)
			return err;
		if (err) {
			err_free(err);
			return NULL;
		}
	}
	return NULL;
}

static struct err *
load(struct insp *i)
{
	static const char *const names[] = { "_dl_stack_used",
					     "_dl_stack_user" };
	struct nptl *n = i->nptl = arena_alloc(i->arena, sizeof(*n));
	uint64_t head;
	struct err *err = NULL;

	if (!n)
		return err_nomem();
	n->threads.max = 2 * (i->target->n_threads + LIST_SLACK);
	if (!find_library(i, n))
		return NULL;
	for (size_t k = 0; k < countof(names) && !err; k++)
		if (list_head(i, n, names[k], &head))
			err = walk_list(i, n, head);
	return err;
}

struct err *
nptl_thread_pointer(struct insp *i, uint64_t tid, uint64_t *out)
{
	struct err *err = i->nptl ? NULL : load(i);

	if (err)
		return err;
	const struct nptl_thread *t = i->nptl->threads.data;
	for (size_t k = 0; k < i->nptl->threads.n; k++)
		if (t[k].tid == tid) {
			*out = t[k].pointer;
			return NULL;
		}
	return err_new(ERR_ABSENT, "the thread pointer was not captured");
}
