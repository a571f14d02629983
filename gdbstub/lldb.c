/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only lldb asks ("GDB Remote Protocol Extensions" in lldb's manual):
 * how it wants to be answered, what machine and process this is, and what is
 * mapped where.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

/* ---- modes --------------------------------------------------------------- */
struct err *
lldb_thread_suffix(struct stub *s, const struct args *a)
{
	(void)a;
	s->suffixes = true;
	stub_ok(s);
	return NULL;
}

struct err *
lldb_list_threads(struct stub *s, const struct args *a)
{
	(void)a;
	s->lists_threads = true;
	stub_ok(s);
	return NULL;
}

struct err *
lldb_error_strings(struct stub *s, const struct args *a)
{
	(void)a;
	s->error_strings = true;
	stub_ok(s);
	return NULL;
}

/* ---- the machine --------------------------------------------------------- */
static void
put_hex_text(struct buf *out, const char *text)
{
	buf_hex(out, text, strlen(text));
}

/* As clang names them; lldb takes the architecture of everything from it. */
void
lldb_put_triple(const struct inferior *f, struct buf *out)
{
	static const char *const systems[] = {
		[SNAP_OS_LINUX] = "linux-gnu", [SNAP_OS_FREEBSD] = "freebsd",
	};
	uint8_t os = insp_target(f->insp)->process.os;
	const char *arch = insp_arch(f->insp)->name;
	bool pc = strcmp(arch, "x86_64") == 0;

	buf_printf(out, "%s-%s-%s", arch, pc ? "pc" : "unknown",
		   os < countof(systems) && systems[os] ? systems[os]
							: "unknown");
}

void
lldb_put_machine(struct stub *s, const struct inferior *f)
{
	_buf_ struct buf triple = { 0 };

	lldb_put_triple(f, &triple);
	buf_puts(&s->reply, "triple:");
	buf_hex(&s->reply, triple.data, triple.len);
	buf_printf(&s->reply, ";ptrsize:%u;endian:little;",
		   insp_target(f->insp)->process.bits / 8);
	s->reply.failed |= triple.failed;
}

static const char *
find_text(const struct target *t, const char *key)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (t->attrs[k].type == SNAP_ATTR_STRING
		    && strcmp(t->attrs[k].key, key) == 0)
			return t->attrs[k].string;
	return NULL;
}

/* lldb parses a version: digits and dots. */
static void
put_version(struct stub *s, const char *release)
{
	size_t n = release ? strspn(release, "0123456789.") : 0;

	if (n)
		buf_printf(&s->reply, "os_version:%.*s;", (int)n, release);
}

/* Of the machine that the process ran on; nothing of this one. */
struct err *
lldb_host(struct stub *s, const struct args *a)
{
	static const struct { const char *name, *key; } texts[] = {
		{ "hostname", "hostname" }, { "os_build", "uname.release" },
	};

	(void)a;
	if (s->n_inferiors == 0)
		return NULL;
	const struct inferior *f = stub_inferior(s);
	const struct target *t = insp_target(f->insp);
	lldb_put_machine(s, f);
	put_version(s, find_text(t, "uname.release"));
	for (size_t k = 0; k < countof(texts); k++) {
		const char *text = find_text(t, texts[k].key);

		if (!text)
			continue;
		buf_printf(&s->reply, "%s:", texts[k].name);
		put_hex_text(&s->reply, text);
		buf_putc(&s->reply, ';');
	}
	return NULL;
}

/* ---- the process --------------------------------------------------------- */
/*
 * lldb asks this machine which program a pid runs, and shows that in place of
 * ours where the number was given away anew. The kernel gives none that large
 * (PID_MAX_LIMIT, 4194304), and a person still reads the process's own in it.
 */
#define PID_FAR 1000000000u

uint64_t
lldb_pid(const struct inferior *f)
{
	return f->pid < PID_FAR ? f->pid + PID_FAR : f->pid;
}

struct err *
lldb_process(struct stub *s, const struct args *a)
{
	const struct inferior *f = stub_inferior(s);
	const struct snap_process *p = &insp_target(f->insp)->process;

	(void)a;
	if (!f->attached)
		return err_new(ERR_NOTFOUND, "nothing is attached");
	buf_printf(&s->reply, "pid:%" PRIx64 ";parent-pid:%" PRIx64
		   ";real-uid:%" PRIx64 ";real-gid:%" PRIx64
		   ";effective-uid:%" PRIx64 ";effective-gid:%" PRIx64 ";",
		   lldb_pid(f), p->ppid, p->uid, p->gid, p->uid, p->gid);
	lldb_put_machine(s, f);
	if (p->os == SNAP_OS_LINUX)
		buf_puts(&s->reply, "ostype:linux;");
	return NULL;
}

/* ---- regions ------------------------------------------------------------- */
static void
put_region(struct buf *out, const struct inferior *f, const struct region *r)
{
	const struct snap_map *m = r->map;
	uint64_t start = m ? m->start : r->start, end = m ? m->end : r->end;
	const char *name = m ? maps_name(f, m) : "";

	buf_printf(out, "start:%" PRIx64 ";size:%" PRIx64 ";", start,
		   end - start);
	if (!r->mapped)
		return;
	buf_puts(out, "permissions:");
	for (const char *p = "rwx"; m && *p; p++)
		if (m->perm & (*p == 'r' ? SNAP_PERM_R : *p == 'w' ? SNAP_PERM_W
			       : SNAP_PERM_X))
			buf_putc(out, *p);
	buf_puts(out, ";flags:;");
	if (!name[0])
		return;
	buf_puts(out, "name:");
	put_hex_text(out, name);
	buf_putc(out, ';');
}

/* As the process had it mapped; how much of that was captured is another
 * question, which reading answers. */
struct err *
lldb_region(struct stub *s, const struct args *a)
{
	struct inferior *f = stub_inferior(s);
	struct region r;

	space_region(insp_space(f->insp), a->v[0].number, &r);
	put_region(&s->reply, f, &r);
	return NULL;
}
