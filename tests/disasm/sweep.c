/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep: holds our decoders against objdump, instruction by instruction.
 *
 *   objdump -d -z -w FILE | sweep x86_64|aarch64 [--text]
 *
 * Bytes and addresses are objdump's; the code between two of its labels is
 * swept anew. Prints how many entries have the same address and length and are
 * an instruction to both, and of what the others are made up; with --text also
 * how many read the same but for blanks, and how the others differ.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "disasm/disasm.h"

#define KINDS_MAX 4096u
#define SAMPLE 200u

struct said {
	uint64_t addr;
	uint8_t n;
	bool bad;
	char words[96];         /* the beginning of objdump's text */
};
/** The same disagreement, over and over. */
struct kind {
	char name[80], sample[SAMPLE];
	size_t n;
};
struct sweep {
	struct disasm *d;
	bool words;             /* bytes come as 32-bit numbers */
	bool text;
	struct said *lines;
	size_t n_lines, cap_lines;
	struct buf code;        /* of the lines */
	size_t total, agreed, same;
	size_t in_data;         /* disagree where objdump sees data */
	struct kind kinds[KINDS_MAX];
	size_t n_kinds;
	double seconds;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what differs ------------------------------------------------------- */
static void
put_bytes(const struct sweep *s, const struct said *l, char *out, size_t size)
{
	const uint8_t *code = (const uint8_t *)s->code.data
			      + (l->addr - s->lines[0].addr);
	size_t at = 0;

	for (unsigned k = 0; k < l->n && at + 4 < size; k++)
		at += (size_t)snprintf(out + at, size - at, " %02x", code[k]);
}

static void
differs(struct sweep *s, const struct said *l, const char *how,
	const char *ours)
{
	char name[80] = "", mnemonic[24] = "", bytes[64] = "";

	sscanf(l->words, "%23s", mnemonic);
	snprintf(name, sizeof(name), "%s: %s", mnemonic, how);
	for (size_t k = 0; k < s->n_kinds; k++) {
		if (strcmp(s->kinds[k].name, name) == 0) {
			s->kinds[k].n++;
			return;
		}
	}
	if (s->n_kinds == KINDS_MAX)
		return;
	struct kind *kind = &s->kinds[s->n_kinds++];
	memcpy(kind->name, name, sizeof(name));
	put_bytes(s, l, bytes, sizeof(bytes));
	snprintf(kind->sample, sizeof(kind->sample), "%" PRIx64 ":%s  %s, %s",
		 l->addr, bytes, l->words, ours);
	kind->n = 1;
}

/* ---- one block ---------------------------------------------------------- */
static size_t
decode(struct sweep *s, uint64_t at, size_t skip, char *text)
{
	size_t left = s->code.len - skip;

	return disasm_bytes(s->d, at, (struct span){
		s->code.data + skip, left < DISASM_BYTES_MAX
				     ? left : DISASM_BYTES_MAX },
		s->text ? text : NULL, NULL);
}

/* Without blanks, without "0x" and "0x0(", and what is said of symbols. */
static void
bare(const char *from, char *to)
{
	char *begin = to;

	for (; *from && *from != '<' && strncmp(from, "# ", 2) != 0; from++) {
		if (*from == ' ' || *from == '\t')
			continue;
		*to++ = *from;
		if (to - begin >= 2 && memcmp(to - 2, "0x", 2) == 0)
			to -= 2;
		if (to - begin >= 2 && memcmp(to - 2, "0(", 2) == 0
		    && (to - begin == 2 || !strchr("0123456789abcdef", to[-3])))
			*(--to - 1) = '(';
	}
	*to = '\0';
}

static void
compare_text(struct sweep *s, const struct said *l, const char *text)
{
	char theirs[96], ours[DISASM_TEXT_MAX];

	bare(l->words, theirs);
	bare(text, ours);
	if (strcmp(theirs, ours) == 0)
		s->same++;
	else
		differs(s, l, "text", text);
}

/* What is wrong with our entry of @n bytes (0 = none) at @at, or NULL. */
static const char *
wrong(const struct sweep *s, const struct said *l, uint64_t at, size_t n)
{
	if (at != l->addr)
		return "not where we are";
	if (!n && !l->bad)
		return "no instruction to us";
	if (n && l->bad)
		return "an instruction to us";
	return (n ? n : disasm_step(s->d)) != l->n ? "another length" : NULL;
}

/* Has objdump found data between these labels? */
static bool
has_data(const struct sweep *s)
{
	for (size_t k = 0; k < s->n_lines; k++)
		if (s->lines[k].bad)
			return true;
	return false;
}

/* Our own way through the block; each of objdump's lines waits for it. */
static void
compare(struct sweep *s)
{
	uint64_t start = s->n_lines ? s->lines[0].addr : 0, at = start;
	size_t agreed = s->agreed;

	for (size_t k = 0; k < s->n_lines; k++) {
		const struct said *l = &s->lines[k];
		char text[DISASM_TEXT_MAX];
		size_t n = 0;

		for (; at < l->addr; at += n ? n : disasm_step(s->d))
			n = decode(s, at, (size_t)(at - start), text);
		n = at == l->addr ? decode(s, at, (size_t)(at - start), text)
				  : 0;
		const char *how = wrong(s, l, at, n);
		if (how)
			differs(s, l, how, n && s->text ? text : "");
		else if (n && s->text)
			compare_text(s, l, text);
		s->agreed += !how;
		if (at == l->addr)
			at += n ? n : disasm_step(s->d);
	}
	s->total += s->n_lines;
	if (has_data(s))
		s->in_data += s->n_lines - (s->agreed - agreed);
}

static void
flush(struct sweep *s)
{
	double began = now();

	compare(s);
	s->seconds += now() - began;
	s->n_lines = 0;
	buf_reset(&s->code);
}

/* ---- objdump's lines ---------------------------------------------------- */
static uint8_t
add_bytes(struct sweep *s, const char *hex, size_t n)
{
	uint8_t bytes[32];
	unsigned count = 0;

	for (size_t k = 0; k + 1 < n && count < sizeof(bytes); k++) {
		if (hex[k] == ' ')
			continue;
		if (!hex_bytes(hex + k, 1, &bytes[count++]))
			return 0;
		k++;
	}
	for (unsigned k = 0; s->words && k < count / 2; k++) {
		uint8_t b = bytes[k];
		bytes[k] = bytes[count - 1 - k];
		bytes[count - 1 - k] = b;
	}
	buf_put(&s->code, bytes, count);
	return (uint8_t)count;
}

/* "  401136:\t55                   \tpush   %rbp" */
static bool
add_line(struct sweep *s, const char *text)
{
	char *end;
	struct said l = { .addr = strtoull(text, &end, 16) };

	if (end == text || end[0] != ':' || end[1] != '\t')
		return false;
	const char *hex = end + 2, *tab = strchr(hex, '\t');
	l.n = add_bytes(s, hex, tab ? (size_t)(tab - hex) : strlen(hex));
	snprintf(l.words, sizeof(l.words), "%s", tab ? tab + 1 : "");
	l.words[strcspn(l.words, "\n")] = '\0';
	l.bad = !tab || strstr(l.words, "(bad)")
		|| strncmp(l.words, ".inst", 5) == 0
		|| strncmp(l.words, ".byte", 5) == 0;
	if (s->n_lines == s->cap_lines) {
		s->cap_lines = s->cap_lines ? 2 * s->cap_lines : 1024;
		s->lines = realloc(s->lines, s->cap_lines * sizeof(l));
		if (!s->lines)
			return false;
	}
	s->lines[s->n_lines++] = l;
	return true;
}

static int
by_count(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->n < y->n ? 1 : -(x->n > y->n);
}

static void
print(struct sweep *s)
{
	qsort(s->kinds, s->n_kinds, sizeof(s->kinds[0]), by_count);
	printf("total %zu\nagreed %zu\nin_data %zu\nsame %zu\nseconds %.3f\n",
	       s->total, s->agreed, s->in_data, s->same, s->seconds);
	for (size_t k = 0; k < s->n_kinds; k++)
		printf("differs %zu %s | %s\n", s->kinds[k].n,
		       s->kinds[k].name, s->kinds[k].sample);
}

int
main(int argc, char **argv)
{
	static struct sweep s;
	char *text = NULL;
	size_t cap = 0;

	s.words = argc > 1 && strcmp(argv[1], "aarch64") == 0;
	s.text = argc > 2;
	_err_ struct err *err = disasm_new(s.words ? EM_AARCH64 : EM_X86_64,
					   DISASM_ATT, &s.d);
	if (err) {
		fprintf(stderr, "sweep: %s\n", err_text(err));
		return 1;
	}
	while (getline(&text, &cap, stdin) > 0)
		if (!add_line(&s, text))
			flush(&s);
	flush(&s);
	print(&s);
	free(text);
	free(s.lines);
	buf_fini(&s.code);
	disasm_free(s.d);
	return 0;
}
