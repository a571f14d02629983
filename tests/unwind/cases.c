/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that die in ways that are hard to unwind; -DCASE=name selects one.
 * compare.py builds each and compares its stack with gdb's and eu-stack's.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define keep __attribute__((noinline, noclone, used))

static volatile int zero;

keep static void
die(void)
{
	__asm__ volatile("ud2");
}

/* Called through a volatile pointer, so that nothing is a tail call. */
static void (*volatile target)(void) = die;

keep static int
call(void)
{
	target();
	return zero;
}

/* ---- handlers ------------------------------------------------------------- */
static void
on(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

keep static int
recurse(int n)
{
	volatile char space[60000];

	space[0] = (char)n;
	return recurse(n + 1) + space[0];
}

static void
die_in_handler(int sig)
{
	zero = call() + sig;
}

/** A stack overflow, handled on another stack. */
keep static int
altstack(void)
{
	stack_t stack = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };

	sigaltstack(&stack, NULL);
	on(SIGSEGV, die_in_handler, SA_ONSTACK);
	return recurse(0) + zero;
}

static void
raise_second(int sig)
{
	raise(SIGUSR2);
	zero = sig;
}

/** A handler that a signal interrupts. */
keep static int
nested(void)
{
	on(SIGUSR1, raise_second, 0);
	on(SIGUSR2, die_in_handler, 0);
	raise(SIGUSR1);
	return zero;
}

/** Jumps to address 0, and in the handler once more. */
keep static int
jumphandler(void)
{
	on(SIGSEGV, die_in_handler, 0);
	target = NULL;
	return call() + zero;
}

/** The handler of a jump to address 0 dies of something else. */
static void
die_after_jump(int sig)
{
	target = die;
	zero = call() + sig;
}

keep static int
jumpandcall(void)
{
	on(SIGSEGV, die_after_jump, 0);
	target = NULL;
	return call() + zero;
}

/* ---- bad jumps ---------------------------------------------------------------- */
keep static int
heapjump(void)
{
	void *heap = malloc(64);

	memset(heap, 0x90, 64);
	memcpy(&target, &heap, sizeof(heap));
	return call() + zero;
}

/** To an address that nothing is mapped at. */
keep static int
wildjump(void)
{
	uintptr_t nowhere = 0x123456789000;

	memcpy(&target, &nowhere, sizeof(nowhere));
	return call() + zero;
}

/* ---- other people's code --------------------------------------------------------- */
/** In the kernel's vdso, or in libc where it has no such function. */
keep static int
invdso(void)
{
	struct timespec *volatile nowhere = (struct timespec *)8;

	return clock_gettime(CLOCK_REALTIME, nowhere) + zero;
}

static int
compare_and_die(const void *a, const void *b)
{
	(void)a, (void)b;
	return call();
}

/** A callback of libc. */
keep static int
callback(void)
{
	int numbers[] = { 3, 1, 2 };

	qsort(numbers, 3, sizeof(int), compare_and_die);
	return zero;
}

static ucontext_t here, there;

static void
run_aside(void)
{
	zero = call();
}

/** On a stack of its own, which makecontext() began. */
keep static int
coroutine(void)
{
	getcontext(&there);
	there.uc_stack.ss_sp = malloc(1 << 16);
	there.uc_stack.ss_size = 1 << 16;
	there.uc_link = &here;
	makecontext(&there, run_aside, 0);
	swapcontext(&here, &there);
	return zero;
}

/* ---- tables that compilers seldom write --------------------------------------------- */
/* CFA = [rsp + 8] + 8, r12 = [rsp + 16]: an aligned frame as a whole program
 * in the table. */
__asm__(".text\n"
	".type on_aligned, @function\n"
	"on_aligned:\n"
	"	.cfi_startproc\n"
	"	mov %rsp, %rax\n"
	"	.cfi_def_cfa_register %rax\n"
	"	and $-64, %rsp\n"
	"	sub $64, %rsp\n"
	"	mov %rax, 8(%rsp)\n"
	"	mov %r12, 16(%rsp)\n"
	"	.cfi_escape 0x0f, 5, 0x77, 8, 0x06, 0x23, 8\n"
	"	.cfi_escape 0x16, 12, 3, 0x77, 16, 0x06\n"
	"	mov $77, %r12d\n"
	"	call call\n"
	"	mov 16(%rsp), %r12\n"
	"	mov 8(%rsp), %rsp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size on_aligned, . - on_aligned\n");
int on_aligned(void);

keep static int
expression(void)
{
	return on_aligned() + zero;
}

/* The frame is counted from %rbx, which all that it calls leave alone. */
__asm__(".text\n"
	".type on_rbx, @function\n"
	"on_rbx:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbx, -16\n"
	"	mov %rsp, %rbx\n"
	"	.cfi_def_cfa_register %rbx\n"
	"	sub $4096, %rsp\n"
	"	and $-16, %rsp\n"
	"	call call\n"
	"	mov %rbx, %rsp\n"
	"	pop %rbx\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size on_rbx, . - on_rbx\n");
int on_rbx(void);

keep static int
baseregister(void)
{
	return on_rbx() + zero;
}

/* The return address was taken off the stack and is in %r11. */
__asm__(".text\n"
	".type in_register, @function\n"
	"in_register:\n"
	"	.cfi_startproc\n"
	"	pop %r11\n"
	"	.cfi_def_cfa_offset 0\n"
	"	.cfi_register %rip, %r11\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size in_register, . - in_register\n");
int in_register(void);

keep static int
linkregister(void)
{
	return in_register() + zero;
}

/* Another stack in the middle of one: %rbp remembers the first. */
static char second_stack[1 << 16] __attribute__((aligned(16)));
__asm__(".text\n"
	".type switching, @function\n"
	"switching:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	mov %rdi, %rsp\n"
	"	call call\n"
	"	leave\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size switching, . - switching\n");
int switching(char *top);

keep static int
twostacks(void)
{
	return switching(second_stack + sizeof(second_stack)) + zero;
}

/* ---- no tables (built without) ------------------------------------------------------- */
keep static int
inner(int n)
{
	return n ? inner(n - 1) + 1 : call();
}

keep static int
notables(void)
{
	return inner(5) + zero;
}

/** Tables for debuggers only. */
keep static int
debugframe(void)
{
	return inner(5) + zero;
}

/* ---- damage ----------------------------------------------------------------------------- */
static void
overwrite_return(void **frame)
{
	frame[1] = (void *)0x41414141;
}

keep static int
smash(void)
{
	overwrite_return(__builtin_frame_address(0));
	return call();
}

/** A caller's return address was overwritten before the program died. */
keep static int
smashed(void)
{
	return smash() + zero;
}

keep static int
smash_and_return(void)
{
	void **frame = __builtin_frame_address(0);

	for (int n = 0; n < 8; n++)
		frame[n] = (void *)0x41414141;
	return zero;
}

/** Returned to where nothing is, with a stack full of the same. */
keep static int
returned(void)
{
	return smash_and_return() + zero;
}

int
main(void)
{
	return CASE() + zero;
}
