/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's intake: one function a record. Tables wait for the close;
 * skeletons and attached files go out at once.
 */
#include "snapfmt/writer.h"
#include "snapfmt/resolved.h"

/** Are @n bytes more too many? Refused, they leave no trace. */
struct err *
writer_admit(const struct snap_writer *w, uint32_t type, size_t n)
{
	if (n <= SECTION_MAX && w->demanded + n <= DEMAND_MAX)
		return NULL;
	return err_new(ERR_LIMIT, "section %s of %zu bytes is more than a "
		       "snapshot holds", schema_section_name(type), n);
}

static struct err *
put_record(struct snap_writer *w, uint32_t type, const void *record)
{
	const struct schema *sc = schema_of(type);
	struct table *t = &w->table[type];
	struct err *err = ranges_finish(w);

	if (err)
		return err;
	const char *fault = sc->fault ? sc->fault(record, NULL) : NULL;
	if (fault)
		return err_new(ERR_FAILED, "%s %u %s", sc->word, t->count,
			       fault);
	if (sc->single && t->count)
		return err_new(ERR_FAILED, "more than one %s", sc->word);
	codec_encode(sc, record, &w->encoder, t);
	return writer_buffers(w);
}

struct err *
snap_put_process(struct snap_writer *w, const struct snap_process *p)
{
	return put_record(w, SECTION_PROCESS, p);
}

struct err *
snap_put_thread(struct snap_writer *w, const struct snap_thread *t)
{
	return put_record(w, SECTION_THREADS, t);
}

struct err *
snap_put_map(struct snap_writer *w, const struct snap_map *m)
{
	return put_record(w, SECTION_MAPS, m);
}

struct err *
snap_put_module(struct snap_writer *w, const struct snap_module *m)
{
	if (m->skeleton != SNAP_NO_SKELETON && m->skeleton >= w->n_skeletons)
		return err_new(ERR_FAILED, "module %u has skeleton %u of %u",
			       w->table[SECTION_MODULES].count, m->skeleton,
			       w->n_skeletons);
	return put_record(w, SECTION_MODULES, m);
}

struct err *
snap_put_frame(struct snap_writer *w, const struct snap_frame *f)
{
	if (f->module != UINT32_MAX && f->module > w->highest_module)
		w->highest_module = f->module;
	return put_record(w, SECTION_FRAMES, f);
}

struct err *
snap_put_variable(struct snap_writer *w, const struct snap_variable *v)
{
	return put_record(w, SECTION_VARIABLES, v);
}

struct err *
snap_put_attr(struct snap_writer *w, const struct snap_attr *a)
{
	return put_record(w, SECTION_ATTRIBUTES, a);
}

struct err *
snap_put_note(struct snap_writer *w, const struct snap_note *n)
{
	return put_record(w, SECTION_NOTES, n);
}

struct err *
snap_put_text(struct snap_writer *w, const struct snap_blob *b)
{
	return put_record(w, SECTION_TEXTS, b);
}

struct err *
snap_put_auxv(struct snap_writer *w, struct span raw)
{
	return put_record(w, SECTION_AUXV, &raw);
}

struct err *
snap_put_provenance(struct snap_writer *w, const struct snap_provenance *p)
{
	return put_record(w, SECTION_PROVENANCE, p);
}

struct err *
snap_put_file(struct snap_writer *w, const struct snap_blob *b)
{
	struct err *err = ranges_finish(w);

	if (!err)
		err = writer_admit(w, SECTION_FILE_DATA, b->bytes.n);
	if (!err)
		err = writer_section(w, SECTION_FILE_DATA, w->n_files,
				     b->bytes);
	if (err)
		return err_wrap(err, "file %s", b->name ? b->name : "");
	w->demanded += b->bytes.n;
	w->n_files++;
	return put_record(w, SECTION_FILES, b);
}
