/* SPDX-License-Identifier: Apache-2.0 */
/*
 * g G p P: registers, in the order of the target description. Writes land in
 * the session's overlay.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <string.h>

static size_t
reg_bytes(const struct reg *r)
{
	return r->bits / 8;
}

struct err *
regs_put(struct buf *out, const struct inferior *f, size_t thread, size_t reg)
{
	uint8_t value[REG_BYTES_MAX];
	bool known;
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);

	struct err *err = insp_reg_read(f->insp, thread, reg, value, &known);
	if (err)
		return err;
	if (known)
		buf_hex(out, value, reg_bytes(&regs[reg]));
	for (size_t k = 0; !known && k < reg_bytes(&regs[reg]); k++)
		buf_puts(out, "xx");
	return NULL;
}

bool
regs_known(const struct inferior *f, size_t thread, size_t reg)
{
	uint8_t value[REG_BYTES_MAX];
	bool known = false;

	_err_ struct err *err = insp_reg_read(f->insp, thread, reg, value,
					      &known);
	return !err && known;
}

struct err *
regs_read_all(struct stub *s, const struct args *a)
{
	struct inferior *f;
	size_t thread, n;

	(void)a;
	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	insp_regs(f->insp, &n);
	for (size_t k = 0; k < n && !err; k++)
		err = regs_put(&s->reply, f, thread, k);
	return err;
}

struct err *
regs_read(struct stub *s, const struct args *a)
{
	struct inferior *f;
	size_t thread, n;

	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	insp_regs(f->insp, &n);
	if (a->v[0].number >= n) {
		buf_puts(&s->reply, "E45");     /* lldb-server's, too */
		return NULL;
	}
	return regs_put(&s->reply, f, thread, a->v[0].number);
}

/*
 * gdb prepares the call of a function (gdb/infcall.c): it writes arguments,
 * pushes a return address, and then, by the next packet, points the stack
 * pointer at it. An error there makes gdb put all registers back; later, at
 * the request to run, it would stay inside the function. Setting the stack
 * pointer otherwise is allowed: it helps to unwind a damaged stack. lldb puts
 * registers back after a call that did not run, and not where one was refused.
 */
static bool
is_call(const struct stub *s, const struct inferior *f, size_t reg,
	const struct span *value)
{
	struct rd r = rd_of(value->data, value->n);

	return s->dialect == DIALECT_GDB
	       && reg == inferior_generic_reg(f, "sp") && rd_u64(&r) == s->pushed
	       && s->pushed_by && s->packets == s->pushed_by + 1;
}

/*
 * gdb pushes the address of a breakpoint that it put on the stack before; and
 * before that, structs that are passed by value. All of it is below what a
 * function may use without a frame (System V ABI, "The Stack Frame").
 */
static void
undo_call(struct stub *s, const struct inferior *f, size_t thread)
{
	const uint64_t red_zone = 128, most = 64 << 10;
	uint64_t sp;

	if (inferior_reg(f, thread, "sp", &sp) && sp > red_zone + most)
		err_free(overlay_forget(f->shown->overlay,
					sp - red_zone - most, most));
	overlay_undo(s, &s->word);
	if (s->trap.n && s->trap.addr == s->word.value)
		overlay_undo(s, &s->trap);
}

struct err *
regs_write(struct stub *s, const struct args *a)
{
	const struct span *value = &a->v[1].bytes;
	struct inferior *f;
	size_t thread, n;

	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	const struct reg *regs = insp_regs(f->insp, &n);
	if (a->v[0].number >= n
	    || value->n != reg_bytes(&regs[a->v[0].number]))
		return err_new(ERR_USAGE, "no register of that size");
	if (is_call(s, f, a->v[0].number, value)) {
		undo_call(s, f, thread);
		return err_new(ERR_DENIED, "a snapshot does not run: no "
			       "function of it can be called");
	}
	err = insp_reg_write(f->insp, thread, a->v[0].number, value->data);
	if (err)
		return err;
	if (a->v[0].number == inferior_generic_reg(f, "pc"))
		s->pc_written = true;
	stub_ok(s);
	return NULL;
}

static size_t
total_bytes(const struct reg *regs, size_t n)
{
	size_t total = 0;

	for (size_t k = 0; k < n; k++)
		total += reg_bytes(&regs[k]);
	return total;
}

/* All or nothing: what is shorter than a whole set writes none of it. */
struct err *
regs_write_all(struct stub *s, const struct args *a)
{
	const uint8_t *value = a->v[0].bytes.data;
	struct inferior *f;
	size_t thread, n;

	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	const struct reg *regs = insp_regs(f->insp, &n);
	if (a->v[0].bytes.n != total_bytes(regs, n))
		return err_new(ERR_USAGE, "not a whole set of registers");
	for (size_t k = 0; k < n && !err; k++) {
		err = insp_reg_write(f->insp, thread, k, value);
		value += reg_bytes(&regs[k]);
	}
	if (!err)
		stub_ok(s);
	return err;
}
