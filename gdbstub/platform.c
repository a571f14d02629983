/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lldb's remote platform ("platform connect"): the machine that the process
 * ran on, with this one process on it. Through it lldb learns the executable,
 * and fetches files that are not on its own machine.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct err *
no_more(void)
{
	return err_new(ERR_NOTFOUND, "no other process was captured");
}

static void
put_process(struct stub *s, const struct inferior *f)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	const char *name = f->exe.len ? f->exe.data : p->name;

	buf_printf(&s->reply, "pid:%" PRIu64 ";ppid:%" PRIu64 ";uid:%" PRIu64
		   ";gid:%" PRIu64 ";euid:%" PRIu64 ";egid:%" PRIu64 ";",
		   lldb_pid(f), p->ppid, p->uid, p->gid, p->uid, p->gid);
	buf_puts(&s->reply, "name:");
	buf_hex(&s->reply, name ? name : "", name ? strlen(name) : 0);
	buf_putc(&s->reply, ';');
	lldb_put_machine(s, f);
}

/* "qProcessInfoPID:", whose number is decimal. */
struct err *
platform_process(struct stub *s, const struct args *a)
{
	const struct inferior *f = stub_inferior(s);
	char digits[24];
	const struct span *asked = &a->v[0].bytes;
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, lldb_pid(f));

	if (asked->n != (size_t)n || memcmp(asked->data, digits, asked->n) != 0)
		return no_more();
	put_process(s, f);
	return NULL;
}

/* "qfProcessInfo": whatever is asked for, there is this one. */
struct err *
platform_first(struct stub *s, const struct args *a)
{
	(void)a;
	put_process(s, stub_inferior(s));
	return NULL;
}

struct err *
platform_next(struct stub *s, const struct args *a)
{
	(void)s;
	(void)a;
	return no_more();
}

struct err *
platform_directory(struct stub *s, const struct args *a)
{
	const char *cwd = insp_target(stub_inferior(s)->insp)->process.cwd;

	(void)a;
	if (!cwd)
		return err_new(ERR_NOTFOUND, "no directory was captured");
	buf_hex(&s->reply, cwd, strlen(cwd));
	return NULL;
}
