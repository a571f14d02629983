/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a process died, of the records of make-served.h: its first thread stands
 * at 0x1000 with its stack pointer at 0x2000, rdi 0xe and rdx 0xc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "analysis/analysis.h"
#include "assert-err.h"
#include "make-served.h"

#define NO_ADDRESS UINT64_MAX

/** A session's engine, and what was found. */
struct looked {
	struct served served;
	struct target_ops ops;
	struct arena *arena;
	struct cause cause;
};

/* ---- code at the pc ----------------------------------------------------- */
static const uint8_t *code;
static size_t n_code;
static const struct target_ops *below;

static struct err *
read_code(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	uint64_t addr = t->memory[range].start + off;
	struct err *err = below->read(t, range, off, n, out);

	for (size_t k = 0; k < n && !err; k++)
		if (addr + k >= 0x1000 && addr + k - 0x1000 < n_code)
			((uint8_t *)out)[k] = code[addr + k - 0x1000];
	return err;
}

static void
look(struct looked *l, int number, int signal_code, uint64_t address)
{
	static uint8_t siginfo[128];
	struct snap_process *p;

	served_init(&l->served);
	p = &l->served.target.process;
	below = l->served.target.ops;
	l->ops = *below;
	l->ops.read = read_code;
	l->served.target.ops = &l->ops;
	l->served.threads[0].siginfo = (struct span){ siginfo,
						      sizeof(siginfo) };
	memcpy(siginfo + 16, &(uint32_t){ 4242 }, 4);
	p->signal = number;
	p->signal_code = signal_code;
	p->has_fault_address = address != NO_ADDRESS;
	p->fault_address = p->has_fault_address ? address : 0;
	assert_ok(served_open(&l->served, NULL));
	l->arena = arena_new(0);
	assert_ok(cause_find(l->served.insp, l->arena, &l->cause));
}

static void
done(struct looked *l)
{
	arena_free(l->arena);
	served_close(&l->served);
}

static void
assert_kind(int number, int signal_code, uint64_t address, const char *kind)
{
	struct looked l;

	look(&l, number, signal_code, address);
	assert_string_equal(l.cause.kind ? l.cause.kind : "none", kind);
	done(&l);
}

/* ---- kinds -------------------------------------------------------------- */
static void
kind_is_what_is_certain(void **state)
{
	(void)state;
	assert_kind(SIGSEGV, SEGV_MAPERR, 0, "null-deref");
	assert_kind(SIGSEGV, SEGV_MAPERR, 0xfff, "null-deref");
	assert_kind(SIGSEGV, SEGV_MAPERR, 0x777000, "wild-access");
	assert_kind(SIGSEGV, SEGV_ACCERR, 0x8000, "forbidden-access");
	assert_kind(SIGSEGV, SEGV_ACCERR, 0x1000, "forbidden-jump");
	assert_kind(SIGSEGV, SEGV_ACCERR, 0x1ff8, "stack-overflow");
	assert_kind(SIGSEGV, SI_KERNEL, NO_ADDRESS, "general-protection");
	assert_kind(SIGBUS, BUS_ADRERR, 0x8000, "nothing-behind");
	assert_kind(SIGFPE, FPE_INTDIV, 0x1000, "division-by-zero");
	assert_kind(SIGFPE, FPE_FLTRES, 0x1000, "arithmetic");
	assert_kind(SIGILL, ILL_ILLOPN, 0x1000, "illegal-instruction");
	assert_kind(SIGTRAP, TRAP_BRKPT, 0x1000, "trap");
	assert_kind(SIGABRT, SI_TKILL, NO_ADDRESS, "abort");
	assert_kind(SIGTERM, SI_USER, NO_ADDRESS, "sent");
	assert_kind(0, 0, NO_ADDRESS, "none");
	assert_kind(SIGSEGV, 77, 0x10, "null-deref");
	assert_kind(SIGUSR1, 77, NO_ADDRESS, "none");
}

static void
sender_is_told(void **state)
{
	struct looked l;

	(void)state;
	look(&l, SIGABRT, SI_TKILL, NO_ADDRESS);
	assert_true(l.cause.has_sender);
	assert_int_equal(l.cause.sender_pid, 4242);
	assert_null(l.cause.instruction);
	done(&l);
}

/* ---- the direction ------------------------------------------------------ */
static const struct direction {
	uint8_t bytes[3];
	uint64_t address;
	uint8_t access;
	const char *sentence;   /* how it begins */
} directions[] = {
	/* mov (%rdx),%eax; %rdx is 0xc */
	{ { 0x8b, 0x02 }, 0xc, CAUSE_READ, "READ of 0xc" },
	{ { 0x8b, 0x02 }, 0xf, CAUSE_READ, "READ of 0xf" },
	/* It does not touch that one. */
	{ { 0x8b, 0x02 }, 0x10, CAUSE_ACCESS_UNKNOWN, "access to 0x10" },
	/* mov %eax,(%rdx) */
	{ { 0x89, 0x02 }, 0xc, CAUSE_WRITE, "WRITE to 0xc" },
	/* add %eax,(%rdx): which of both failed is not known */
	{ { 0x01, 0x02 }, 0xc, CAUSE_ACCESS_UNKNOWN, "access to 0xc" },
	/* no instruction */
	{ { 0x06 }, 0xc, CAUSE_ACCESS_UNKNOWN, "access to 0xc" },
	/* the pc itself */
	{ { 0x90 }, 0x1000, CAUSE_EXECUTE, "jump to 0x1000" },
};

static void
direction_is_told_where_code_has_the_address(void **state)
{
	(void)state;
	for (size_t k = 0; k < countof(directions); k++) {
		const struct direction *d = &directions[k];
		_buf_ struct buf text = { 0 };
		struct looked l;

		code = d->bytes;
		n_code = sizeof(d->bytes);
		look(&l, SIGSEGV, SEGV_MAPERR, d->address);
		assert_int_equal(l.cause.access, d->access);
		cause_put_sentence(&l.cause, &text);
		assert_memory_equal(text.data, d->sentence,
				    strlen(d->sentence));
		done(&l);
	}
	n_code = 0;
}

static void
directions_have_words(void **state)
{
	(void)state;
	assert_null(cause_access_text(CAUSE_ACCESS_UNKNOWN));
	assert_string_equal(cause_access_text(CAUSE_WRITE), "write");
	assert_null(cause_access_text(200));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_is_what_is_certain),
		cmocka_unit_test(sender_is_told),
		cmocka_unit_test(
			direction_is_told_where_code_has_the_address),
		cmocka_unit_test(directions_have_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
