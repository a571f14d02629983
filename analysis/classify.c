/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kind of death it was, for programs and in one word, and whether the
 * access that failed was a read or a write: what the instruction tells.
 */
#include "analysis/impl.h"

#include <signal.h>
#include <string.h>

/* SYS_SECCOMP of <asm-generic/siginfo.h>, which <signal.h> does not have. */
#define CODE_SECCOMP 1
#define CODE_ANY INT32_MAX

/* The first row that fits. */
static const struct {
	int signal, code;
	const char *kind;
	const char *jump;       /* where the pc is the address; or NULL */
} kinds[] = {
	{ SIGSEGV, SEGV_MAPERR, "wild-access", "wild-jump" },
	{ SIGSEGV, SEGV_ACCERR, "forbidden-access", "forbidden-jump" },
	{ SIGSEGV, SEGV_PKUERR, "forbidden-access", NULL },
	{ SIGSEGV, SEGV_BNDERR, "out-of-bounds", NULL },
	{ SIGSEGV, SI_KERNEL, "general-protection", NULL },
	{ SIGBUS, BUS_ADRALN, "misaligned-access", NULL },
	{ SIGBUS, BUS_ADRERR, "nothing-behind", NULL },
	{ SIGBUS, BUS_OBJERR, "hardware-error", NULL },
	{ SIGBUS, BUS_MCEERR_AR, "hardware-error", NULL },
	{ SIGBUS, BUS_MCEERR_AO, "hardware-error", NULL },
	{ SIGFPE, FPE_INTDIV, "division-by-zero", NULL },
	{ SIGFPE, FPE_FLTDIV, "division-by-zero", NULL },
	{ SIGFPE, FPE_INTOVF, "overflow", NULL },
	{ SIGFPE, FPE_FLTOVF, "overflow", NULL },
	{ SIGFPE, FPE_FLTSUB, "out-of-bounds", NULL },
	{ SIGFPE, CODE_ANY, "arithmetic", NULL },
	{ SIGILL, CODE_ANY, "illegal-instruction", NULL },
	{ SIGTRAP, CODE_ANY, "trap", NULL },
	{ SIGSYS, CODE_SECCOMP, "forbidden-call", NULL },
};

/* ---- the direction ------------------------------------------------------ */
static bool
covers(const struct disasm_memory *m, uint64_t address)
{
	if (!m->known || (!m->reads && !m->writes))
		return false;
	return address >= m->place.address
	       && address - m->place.address < (m->size ? m->size : 1);
}

/* Of what reads and writes one place it is not known which of them failed. */
static uint8_t
access_of(const struct disasm_entry *e, uint64_t address)
{
	uint8_t found = CAUSE_ACCESS_UNKNOWN;

	for (size_t k = 0; e && k < e->n_memory; k++) {
		const struct disasm_memory *m = &e->memory[k];

		if (!covers(m, address))
			continue;
		if (found || (m->reads && m->writes))
			return CAUSE_ACCESS_UNKNOWN;
		found = m->reads ? CAUSE_READ : CAUSE_WRITE;
	}
	return found;
}

/* ---- the kind ----------------------------------------------------------- */
static const char *
kind_of_address(struct insp *i, const struct cause *c, uint64_t address)
{
	bool jump = c->access == CAUSE_EXECUTE;
	uint64_t below;

	if (c->number != SIGSEGV || c->code == SI_KERNEL)
		return NULL;
	if (address < CAUSE_FIRST_PAGE)
		return jump ? "null-jump" : "null-deref";
	return !jump && cause_below_stack(i, address, &below)
	       ? "stack-overflow" : NULL;
}

static const char *
kind_of_code(const struct cause *c)
{
	/* Codes up to 0 are those that processes send: sigaction(2). */
	for (size_t k = 0; c->code > 0 && k < countof(kinds); k++) {
		if (kinds[k].signal != c->number
		    || (kinds[k].code != c->code && kinds[k].code != CODE_ANY))
			continue;
		return c->access == CAUSE_EXECUTE && kinds[k].jump
		       ? kinds[k].jump : kinds[k].kind;
	}
	if (!c->has_sender)
		return NULL;
	return c->number == SIGABRT ? "abort" : "sent";
}

void
cause_classify(struct insp *i, struct cause *c)
{
	const struct snap_process *p = &insp_target(i)->process;
	uint64_t pc;

	if (p->has_fault_address && c->code > 0 && c->code != SI_KERNEL) {
		c->access = access_of(c->instruction, p->fault_address);
		if (c->number == SIGSEGV
		    && cause_register(i, insp_arch(i)->pc, &pc)
		    && pc == p->fault_address)
			c->access = CAUSE_EXECUTE;
		c->kind = kind_of_address(i, c, p->fault_address);
	}
	if (!c->kind)
		c->kind = kind_of_code(c);
}

/* ---- in words ----------------------------------------------------------- */
const char *
cause_access_text(uint8_t access)
{
	static const char *const texts[] = {
		[CAUSE_READ] = "read", [CAUSE_WRITE] = "write",
		[CAUSE_EXECUTE] = "execute",
	};

	return access < countof(texts) ? texts[access] : NULL;
}

void
cause_put_sentence(const struct cause *c, struct buf *out)
{
	static const char access[] = "access to ";
	const char *rest = c->text;

	if (strncmp(rest, access, sizeof(access) - 1) == 0
	    && (c->access == CAUSE_READ || c->access == CAUSE_WRITE)) {
		rest += sizeof(access) - 1;
		buf_puts(out, c->access == CAUSE_READ ? "READ of "
						      : "WRITE to ");
	}
	buf_puts(out, rest);
}

static void
put_clause(const struct cause *c, bool jump, struct buf *b)
{
	if (!c->pointer) {
		buf_printf(b, "in `%s`", c->expression);
		return;
	}
	if (c->pointer_value)
		buf_printf(b, "`%s` is 0x%llx", c->pointer,
			   (unsigned long long)c->pointer_value);
	else
		buf_printf(b, "`%s` is null", c->pointer);
	if (jump)
		buf_puts(b, ", and is called");
	else
		buf_printf(b, " in `%s`", c->expression);
}

struct err *
cause_add_expression(struct cause *c, bool jump, struct arena *a)
{
	_buf_ struct buf b = { 0 };
	size_t n = strlen(c->text), tail = strlen(CAUSE_NULL);

	if (n >= tail && strcmp(c->text + n - tail, CAUSE_NULL) == 0)
		n -= tail;
	buf_put(&b, c->text, n);
	buf_puts(&b, ": ");
	put_clause(c, jump, &b);
	struct err *err = buf_err(&b);
	const char *text = err ? NULL : arena_strdup(a, b.data);
	if (text)
		c->text = text;
	return err || text ? err : err_nomem();
}
