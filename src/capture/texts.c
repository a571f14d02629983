/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c: reads what the kernel writes of a process in /proc (proc(5)).
 */
#include "capture/texts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* ---- a cursor over text ------------------------------------------------ */
struct cursor {
	const char *p, *end;
};

static struct cursor
cursor_of(struct span text)
{
	const char *p = text.n ? text.data : "";

	return (struct cursor){ p, p + text.n };
}

static struct span
rest_of(const struct cursor *c)
{
	return (struct span){ c->p, (size_t)(c->end - c->p) };
}

/* The next line, without its newline; false at the end. */
static bool
next_line(struct cursor *c, struct span *line)
{
	if (c->p == c->end)
		return false;
	const char *end = memchr(c->p, '\n', (size_t)(c->end - c->p));
	const char *stop = end ? end : c->end;
	*line = (struct span){ c->p, (size_t)(stop - c->p) };
	c->p = end ? end + 1 : c->end;
	return true;
}

static void
skip_blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static bool
take_char(struct cursor *c, char want)
{
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

static unsigned
digit_of(char ch)
{
	if (ch >= '0' && ch <= '9')
		return (unsigned)(ch - '0');
	return ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10 : 99;
}

/* Digits of @base; false without one, or if they are too many. */
static bool
take_number(struct cursor *c, unsigned base, uint64_t *out)
{
	const char *first = c->p;
	uint64_t v = 0;

	for (; c->p < c->end && digit_of(*c->p) < base; c->p++)
		if (__builtin_mul_overflow(v, base, &v)
		    || __builtin_add_overflow(v, digit_of(*c->p), &v))
			return false;
	*out = v;
	return c->p > first;
}

/* ---- stat -------------------------------------------------------------- */
/* Numbers of the fields in proc(5). */
enum { STAT_STATE = 3, STAT_PPID = 4, STAT_FLAGS = 9, STAT_MINFLT = 10,
       STAT_MAJFLT = 12, STAT_UTIME = 14, STAT_STIME = 15, STAT_THREADS = 20,
       STAT_START = 22, STAT_CPU = 39 };

static uint64_t *
stat_field(struct text_stat *s, int field)
{
	switch (field) {
	case STAT_PPID:
		return &s->ppid;
	case STAT_FLAGS:
		return &s->flags;
	case STAT_MINFLT:
		return &s->minor_faults;
	case STAT_MAJFLT:
		return &s->major_faults;
	case STAT_UTIME:
		return &s->utime;
	case STAT_STIME:
		return &s->stime;
	case STAT_THREADS:
		return &s->threads;
	case STAT_START:
		return &s->start_time;
	default:
		return NULL;
	}
}

/* One of numbers; those that we do not take may be negative. */
static bool
stat_number(struct cursor *c, uint64_t *where)
{
	uint64_t ignored;

	if (!take_char(c, ' '))
		return false;
	if (!where)
		(void)take_char(c, '-');
	return take_number(c, 10, where ? where : &ignored);
}

static bool
stat_numbers(struct cursor *c, struct text_stat *out)
{
	uint64_t cpu = UINT64_MAX;

	for (int field = STAT_PPID; field <= STAT_START; field++)
		if (!stat_number(c, stat_field(out, field)))
			return false;
	out->cpu = -1;
	for (int field = STAT_START + 1; field < STAT_CPU; field++)
		if (!stat_number(c, NULL))
			return true;
	if (stat_number(c, &cpu) && cpu <= INT32_MAX)
		out->cpu = (int)cpu;
	return true;
}

bool
text_stat(struct span text, struct text_stat *out)
{
	/* A name may hold ") R 1": the last parenthesis is the kernel's. */
	const char *open = text.n ? memchr(text.data, '(', text.n) : NULL;
	const char *close = text.n ? memrchr(text.data, ')', text.n) : NULL;
	struct text_stat s = { .state = 0 };

	if (!open || !close || close < open)
		return false;
	struct cursor c = cursor_of(text);
	c.p = close + 1;
	s.name = (struct span){ open + 1, (size_t)(close - open) - 1 };
	if (!take_char(&c, ' ') || c.p == c.end)
		return false;
	s.state = *c.p++;
	if (!stat_numbers(&c, &s))
		return false;
	*out = s;
	return true;
}

/* ---- status ------------------------------------------------------------ */
bool
text_status(struct span text, const char *name, struct span *out)
{
	struct cursor c = cursor_of(text);
	size_t n = strlen(name);
	struct span line;

	while (next_line(&c, &line)) {
		const char *s = line.data;

		if (line.n <= n || memcmp(s, name, n) != 0)
			continue;
		struct cursor value = { s + n, s + line.n };
		skip_blanks(&value);
		if (!take_char(&value, ':'))
			continue;
		skip_blanks(&value);
		*out = rest_of(&value);
		return true;
	}
	return false;
}

bool
text_status_number(struct span text, const char *name, unsigned base,
		   uint64_t *out)
{
	struct span value;

	if (!text_status(text, name, &value))
		return false;
	struct cursor c = cursor_of(value);
	return take_number(&c, base, out);
}

/* ---- maps -------------------------------------------------------------- */
static bool
take_range(struct cursor *c, struct snap_map *out)
{
	return take_number(c, 16, &out->start) && take_char(c, '-')
	       && take_number(c, 16, &out->end) && out->start < out->end;
}

/* "rwxp": a letter, or '-' in its place. */
static bool
take_perm(struct cursor *c, uint8_t *out)
{
	static const struct { char letter; uint8_t bit; } places[] = {
		{ 'r', SNAP_PERM_R }, { 'w', SNAP_PERM_W }, { 'x', SNAP_PERM_X },
	};

	*out = 0;
	for (size_t k = 0; k < countof(places); k++) {
		if (take_char(c, places[k].letter))
			*out |= places[k].bit;
		else if (!take_char(c, '-'))
			return false;
	}
	if (take_char(c, 's'))
		*out |= SNAP_PERM_SHARED;
	else if (!take_char(c, 'p'))
		return false;
	return true;
}

static bool
take_file(struct cursor *c, struct snap_map *out)
{
	uint64_t major, minor;

	if (!take_number(c, 16, &out->offset) || !take_char(c, ' ')
	    || !take_number(c, 16, &major) || !take_char(c, ':')
	    || !take_number(c, 16, &minor) || !take_char(c, ' ')
	    || !take_number(c, 10, &out->inode))
		return false;
	out->device = makedev((unsigned)major, (unsigned)minor);
	return true;
}

/* "start-end perm offset major:minor inode   path"; the path may be empty. */
static bool
map_line(struct span line, struct snap_map *out, struct span *path)
{
	struct cursor c = cursor_of(line);

	*out = (struct snap_map){ .start = 0 };
	if (!take_range(&c, out) || !take_char(&c, ' ')
	    || !take_perm(&c, &out->perm) || !take_char(&c, ' ')
	    || !take_file(&c, out))
		return false;
	if (c.p < c.end && *c.p != ' ')
		return false;
	skip_blanks(&c);
	*path = rest_of(&c);
	return true;
}

/*
 * A text that is read while mappings are joined may name an address twice:
 * what comes first keeps it.
 */
static struct err *
add_map(struct snap_map *m, struct span path, struct arena *a, struct vec *maps)
{
	const struct snap_map *all = maps->data;
	uint64_t from = maps->n ? all[maps->n - 1].end : 0;

	if (m->end <= from)
		return NULL;
	if (m->start < from) {
		m->offset += path.n ? from - m->start : 0;
		m->start = from;
	}
	if (path.n) {
		m->path = arena_strndup(a, path.data, path.n);
		if (!m->path)
			return err_nomem();
	}
	struct snap_map *slot = vec_add(maps, a, sizeof(*slot));
	if (!slot)
		return err_new(ERR_LIMIT, "more than %u mappings",
			       TEXT_MAPS_MAX);
	*slot = *m;
	return NULL;
}

struct err *
text_maps(struct span text, struct arena *a, struct vec *maps)
{
	struct cursor c = cursor_of(text);
	struct span line, path;
	struct snap_map m;
	size_t number = 0;

	maps->max = TEXT_MAPS_MAX;
	while (next_line(&c, &line)) {
		number++;
		if (!map_line(line, &m, &path))
			return err_new(ERR_DAMAGED, "line %zu of the list of "
				       "mappings is none", number);
		struct err *err = add_map(&m, path, a, maps);
		if (err)
			return err;
	}
	return NULL;
}

/* ---- smaps ------------------------------------------------------------- */
/* Is the word of two letters among those of @value? */
static bool
has_flag(struct span value, const char *flag)
{
	const char *s = value.data;

	for (size_t k = 0; k + 2 <= value.n; k += 3)
		if (memcmp(s + k, flag, 2) == 0)
			return true;
	return false;
}

struct err *
text_smaps(struct span text, struct arena *a, struct vec *flags)
{
	struct cursor c = cursor_of(text);
	struct text_flags now = { 0, 0, false, false };
	struct span line, path, value;
	struct snap_map m;

	flags->max = TEXT_MAPS_MAX;
	while (next_line(&c, &line)) {
		if (map_line(line, &m, &path)) {
			now.start = m.start;
			now.end = m.end;
			continue;
		}
		if (!text_status(line, "VmFlags", &value))
			continue;
		now.dontdump = has_flag(value, "dd");
		now.device = has_flag(value, "io") || has_flag(value, "pf");
		if (!now.dontdump && !now.device)
			continue;
		struct text_flags *slot = vec_add(flags, a, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = now;
	}
	return NULL;
}

/* ---- words and numbers of other texts ---------------------------------- */
bool
text_line(struct span *text, struct span *line)
{
	struct cursor c = cursor_of(*text);
	bool there = next_line(&c, line);

	*text = rest_of(&c);
	return there;
}

bool
text_number_after(struct span text, const char *name, uint64_t *out)
{
	size_t n = strlen(name);
	struct span line;

	while (text_line(&text, &line)) {
		struct cursor c = cursor_of(line);

		if (line.n <= n || memcmp(c.p, name, n) != 0 || c.p[n] != ' ')
			continue;
		c.p += n;
		skip_blanks(&c);
		return take_number(&c, 10, out);
	}
	return false;
}

static bool
take_word(struct cursor *c, struct span *out)
{
	skip_blanks(c);
	const char *first = c->p;
	while (c->p < c->end && *c->p != ' ' && *c->p != '\t')
		c->p++;
	*out = (struct span){ first, (size_t)(c->p - first) };
	return out->n > 0;
}

/* The next word is a number in hexadecimal, in letters of either case. */
static bool
take_hex(struct cursor *c, uint64_t *out)
{
	struct span word;

	return take_word(c, &word) && word.n <= 16
	       && hex_u64(word.data, word.n, out);
}

static bool
take_decimal(struct cursor *c, uint64_t *out)
{
	skip_blanks(c);
	return take_number(c, 10, out);
}

static bool
skip_words(struct cursor *c, unsigned n)
{
	struct span word;

	while (n--)
		if (!take_word(c, &word))
			return false;
	return true;
}

/* ---- sockets ----------------------------------------------------------- */
bool
text_socket_link(const char *target, uint64_t *inode)
{
	static const char prefix[] = "socket:[";
	size_t n = sizeof(prefix) - 1;

	if (strncmp(target, prefix, n) != 0)
		return false;
	struct cursor c = { target + n, target + strlen(target) };
	return take_number(&c, 10, inode) && take_char(&c, ']');
}

/* "0100007F:1F90", or four times as many digits: words of 32 bits, each as
 * the machine would print it. */
static bool
take_address(struct cursor *c, char out[static 56])
{
	char shown[INET6_ADDRSTRLEN];
	uint32_t words[4];
	struct span word;
	uint64_t v;

	if (!take_word(c, &word) || (word.n != 13 && word.n != 37))
		return false;
	const char *s = word.data;
	size_t n = (word.n - 5) / 8;
	for (size_t k = 0; k < n; k++) {
		if (!hex_u64(s + 8 * k, 8, &v))
			return false;
		words[k] = (uint32_t)v;
	}
	if (s[8 * n] != ':' || !hex_u64(s + 8 * n + 1, 4, &v)
	    || !inet_ntop(n == 1 ? AF_INET : AF_INET6, words, shown,
			  sizeof(shown)))
		return false;
	snprintf(out, 56, n == 1 ? "%s:%u" : "[%s]:%u", shown, (unsigned)v);
	return true;
}

/* "sl local remote st queues timer retransmits uid timeout inode …" */
bool
text_inet(struct span line, struct text_socket *out)
{
	struct text_socket s = { .inode = 0 };
	struct cursor c = cursor_of(line);
	uint64_t state;

	if (!skip_words(&c, 1) || !take_address(&c, s.local)
	    || !take_address(&c, s.remote) || !take_hex(&c, &state)
	    || !skip_words(&c, 5) || !take_decimal(&c, &s.inode))
		return false;
	s.state = (unsigned)state;
	*out = s;
	return true;
}

/* "Num: RefCount Protocol Flags Type St Inode Path" */
bool
text_unix(struct span line, struct text_socket *out)
{
	struct text_socket s = { .inode = 0 };
	struct cursor c = cursor_of(line);
	uint64_t flags, type, state;

	if (!skip_words(&c, 3) || !take_hex(&c, &flags) || !take_hex(&c, &type)
	    || !take_hex(&c, &state) || !take_decimal(&c, &s.inode))
		return false;
	skip_blanks(&c);
	s.path = rest_of(&c);
	s.listens = flags & 0x10000;    /* __SO_ACCEPTCON of the kernel */
	s.type = (unsigned)type;
	s.state = (unsigned)state;
	*out = s;
	return true;
}
