/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of /proc/PID/maps and smaps out of records, as fs/proc/task_mmu.c
 * of Linux writes them. gdb reads mappings and permissions from there, and
 * what goes into a core file that it generates.
 */
#include "gdbstub/impl.h"
#include "inspect/maps.h"

#include <inttypes.h>
#include <sys/sysmacros.h>

const char *
maps_name(const struct inferior *f, const struct snap_map *m)
{
	struct map_names names;

	insp_map_names(f->insp, &names);
	return map_name(&names, m);
}

static void
put_map(struct buf *out, const struct snap_map *m, const char *name)
{
	const int name_column = 73;
	size_t from = out->len;

	buf_printf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64
		   " %02x:%02x %" PRIu64 " ", m->start, m->end,
		   m->perm & SNAP_PERM_R ? 'r' : '-',
		   m->perm & SNAP_PERM_W ? 'w' : '-',
		   m->perm & SNAP_PERM_X ? 'x' : '-',
		   m->perm & SNAP_PERM_SHARED ? 's' : 'p', m->offset,
		   major(m->device), minor(m->device), m->inode);
	if (name[0])
		buf_printf(out, "%*s%s",
			   name_column - (int)(out->len - from), "", name);
	buf_putc(out, '\n');
}

struct err *
maps_render(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	struct map_names names;

	if (t->n_maps == 0)
		return err_new(ERR_NOTFOUND, "no mappings are known");
	insp_map_names(f->insp, &names);
	for (size_t k = 0; k < t->n_maps && !out->failed; k++)
		put_map(out, &t->maps[k], map_name(&names, &t->maps[k]));
	return NULL;
}

/* ---- smaps ------------------------------------------------------------- */
/** A part of a mapping, all of it there or nothing of it. */
struct piece {
	uint64_t end;
	bool captured, from_file;
};

static struct piece
find_piece(const struct inferior *f, const struct snap_map *m, uint64_t addr)
{
	struct piece piece = { .end = addr };
	struct region r;

	while (piece.end < m->end) {
		space_region(insp_space(f->insp), piece.end, &r);
		if (piece.end > addr && (piece.captured != r.captured
					 || piece.from_file != r.from_file))
			break;
		if (r.end <= piece.end)
			break;
		piece.captured = r.captured;
		piece.from_file = r.from_file;
		piece.end = r.end < m->end ? r.end : m->end;
	}
	return piece;
}

/*
 * Where nothing was captured stands "dd", do not dump: a core file would have
 * zeros there. What is the file's own is left to the file, as in any core.
 */
static void
put_piece(struct buf *out, const struct snap_map *m, const char *name,
	  uint64_t start, const struct piece *piece)
{
	struct snap_map part = *m;
	bool own = piece->captured && !piece->from_file;

	part.start = start;
	part.end = piece->end;
	if (m->path)
		part.offset += start - m->start;
	/* A core does not tell inodes, and of a file without one gdb would
	 * leave out that it is mapped. */
	if (m->path && m->path[0] == '/' && !m->inode)
		part.inode = 1;
	put_map(out, &part, name);
	buf_printf(out, "Size: %15" PRIu64 " kB\nAnonymous: %10" PRIu64
		   " kB\nVmFlags:%s%s%s mr mw me%s%s\n",
		   (part.end - start) >> 10,
		   own ? (part.end - start) >> 10 : 0,
		   m->perm & SNAP_PERM_R ? " rd" : "",
		   m->perm & SNAP_PERM_W ? " wr" : "",
		   m->perm & SNAP_PERM_X ? " ex" : "",
		   m->perm & SNAP_PERM_SHARED ? " sh" : "",
		   piece->captured ? "" : " dd");
}

struct err *
maps_render_smaps(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	struct map_names names;

	if (t->n_maps == 0)
		return err_new(ERR_NOTFOUND, "no mappings are known");
	insp_map_names(f->insp, &names);
	for (size_t k = 0; k < t->n_maps; k++) {
		const struct snap_map *m = &t->maps[k];

		for (uint64_t at = m->start; at < m->end && !out->failed;) {
			struct piece piece = find_piece(f, m, at);

			if (piece.end <= at)
				piece.end = m->end;
			put_piece(out, m, map_name(&names, m), at, &piece);
			at = piece.end;
		}
	}
	return NULL;
}
