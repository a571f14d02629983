/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qXfer: objects that a client reads in pieces ("qXfer object read" in the
 * GDB manual).
 */
#include "gdbstub/impl.h"

#include <elf.h>

struct xfer_object {
	const char *name;
	const char *absent;     /* the reply where there is none */
	bool of_process;
	/** All of it, borrowed until the next request. */
	struct err *(*get)(struct stub *s, struct span annex, bool first,
			   struct span *out);
};

static struct err *
none(void)
{
	return err_new(ERR_NOTFOUND, "there is no such object");
}

static struct err *
yield(const struct buf *text, struct span *out)
{
	*out = (struct span){ text->data, text->len };
	return NULL;
}

/* ---- documents --------------------------------------------------------- */
typedef struct err *render_fn(struct stub *s, struct buf *out);

static struct err *
yield_document(struct stub *s, struct document *d, render_fn *render,
	       struct span *out)
{
	if (!d->rendered) {
		buf_reset(&d->text);
		struct err *err = render(s, &d->text);
		if (!err)
			err = buf_err(&d->text);
		if (err)
			return err;
		d->rendered = true;
	}
	return yield(&d->text, out);
}

static struct err *
render_features(struct stub *s, struct buf *out)
{
	return targetxml_render(stub_inferior(s), s->dialect, out);
}

static struct err *
get_features(struct stub *s, struct span annex, bool first, struct span *out)
{
	(void)first;
	if (!span_is(annex, "target.xml"))
		return none();
	return yield_document(s, &stub_inferior(s)->features, render_features,
			      out);
}

static struct err *
render_libraries(struct stub *s, struct buf *out)
{
	return libraries_render(stub_inferior(s), s->dialect, out);
}

static struct err *
get_libraries(struct stub *s, struct span annex, bool first, struct span *out)
{
	(void)annex;
	(void)first;
	return yield_document(s, &stub_inferior(s)->libraries, render_libraries,
			      out);
}

static struct err *
get_threads(struct stub *s, struct span annex, bool first, struct span *out)
{
	(void)annex;
	(void)first;
	return yield_document(s, &s->threads, threads_render, out);
}

/* Another kind begins at offset 0, so one buffer serves them all. */
static struct err *
get_osdata(struct stub *s, struct span annex, bool first, struct span *out)
{
	if (first) {
		buf_reset(&s->osdata);
		struct err *err = osdata_render(s, annex, &s->osdata);
		if (!err)
			err = buf_err(&s->osdata);
		if (err)
			return err;
	}
	return yield(&s->osdata, out);
}

/* ---- what the target has as it is -------------------------------------- */
/*
 * lldb would load the dynamic linker again by AT_BASE, which it has in the list
 * of libraries, and show it twice.
 */
static struct err *
render_auxv(struct stub *s, struct buf *out)
{
	const struct target *t = insp_target(stub_inferior(s)->insp);
	size_t word = t->process.bits / 8, each = 2 * word;

	for (size_t at = 0; at + each <= t->auxv.n; at += each) {
		const char *entry = (const char *)t->auxv.data + at;
		struct rd r = rd_of(entry, each);
		uint64_t type = word == 8 ? rd_u64(&r) : rd_u32(&r);

		if (s->dialect != DIALECT_LLDB || type != AT_BASE)
			buf_put(out, entry, each);
	}
	return NULL;
}

static struct err *
get_auxv(struct stub *s, struct span annex, bool first, struct span *out)
{
	(void)annex;
	(void)first;
	return yield_document(s, &stub_inferior(s)->auxv, render_auxv, out);
}

static struct err *
get_siginfo(struct stub *s, struct span annex, bool first, struct span *out)
{
	struct inferior *f;
	size_t thread;

	(void)annex;
	(void)first;
	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	struct span info = insp_target(f->insp)->threads[thread].siginfo;
	if (info.n == 0)
		return none();
	*out = info;
	return NULL;
}

static struct err *
get_exec_file(struct stub *s, struct span annex, bool first, struct span *out)
{
	struct thread_id id = { ID_ANY, ID_ANY };
	size_t inferior, thread;

	(void)first;
	if (annex.n && !hex_u64(annex.data, annex.n, &id.pid))
		return none();
	struct err *err = stub_find(s, id, &inferior, &thread);
	if (err)
		return err;
	const struct buf *path = &s->inferiors[inferior].exe;
	return path->len ? yield(path, out) : none();
}

static const struct xfer_object OBJECTS[] = {
	{ "threads", "E00", false, get_threads },
	{ "libraries-svr4", "E00", true, get_libraries },
	{ "features", "E00", true, get_features },
	{ "auxv", "E00", true, get_auxv },
	{ "siginfo", "E01", true, get_siginfo },
	{ "exec-file", "E00", true, get_exec_file },
	{ "osdata", "E01", false, get_osdata },
};

/* ---- a piece ----------------------------------------------------------- */
/* 'm': there is more behind it; 'l': this is the last piece. */
static void
put_piece(struct stub *s, const struct span *all, uint64_t off, uint64_t n)
{
	size_t left = off < all->n ? all->n - (size_t)off : 0;
	size_t want = n < left ? (size_t)n : left;
	const char *from = left ? (const char *)all->data + off : "";

	buf_putc(&s->reply, 'm');
	size_t put = framing_put_binary(&s->reply, from, want,
				      s->options.packet_size);
	if (put == left && s->reply.len)
		s->reply.data[0] = 'l';
}

static struct err *
xfer_get(struct stub *s, const struct xfer_object *o, const struct args *a)
{
	struct span all;

	if (o->of_process && s->n_inferiors == 0)
		return none();
	struct err *err = o->get(s, a->v[2].bytes, a->v[3].number == 0, &all);
	if (!err)
		put_piece(s, &all, a->v[3].number, a->v[4].number);
	return err;
}

struct err *
xfer_read(struct stub *s, const struct args *a)
{
	if (!span_is(a->v[1].bytes, "read"))
		return NULL;
	for (size_t k = 0; k < countof(OBJECTS); k++) {
		if (!span_is(a->v[0].bytes, OBJECTS[k].name))
			continue;
		struct err *err = xfer_get(s, &OBJECTS[k], a);
		if (!err || err_kind(err) != ERR_NOTFOUND)
			return err;
		err_free(err);
		buf_puts(&s->reply, OBJECTS[k].absent);
		return NULL;
	}
	return NULL;
}
