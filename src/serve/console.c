/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.c: gdb/MI (gdb's manual, "GDB/MI Output Syntax").
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve/console.h"

#define LINE_BYTES_MAX (1u << 20)
#define QUESTION_MAX 8192u
#define FRAMES_MAX 2000u        /* that are looked through; */
#define FRAMES_MORE 16u         /* so many more than we have above it */

struct console {
	unsigned holders;
	struct buf in;          /* of a line that has not come whole */
	struct buf say;         /* commands that are not sent yet */
	unsigned token;         /* of the last command */
	unsigned connecting;    /* token of "target remote"; 0 = it is done */
	/* the question under way */
	bool asked, answered;
	bool printed;           /* it is no command: it was asked with print */
	unsigned wanted;        /* token of its command, */
	unsigned listing;       /* or of that which asks for frames; else 0 */
	size_t level;           /* of the frame, as gdb counts */
	struct console_question question;       /* its text is ours */
	struct buf text;        /* of the answer */
	bool cut;
	struct err *err;
	uint64_t until_ns;
	bool over;
};

static uint64_t
now_ns(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- what is said ---- */

/* A string of MI is one of C. */
static void
put_string(struct buf *b, const char *prefix, const char *text)
{
	buf_printf(b, "\"%s", prefix);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
	buf_putc(b, '"');
}

static void
say_set(struct console *c, const char *what)
{
	buf_printf(&c->say, "%u-gdb-set %s\n", ++c->token, what);
}

static void
say_connect(struct console *c, const char *terminal)
{
	c->connecting = ++c->token;
	buf_printf(&c->say, "%u-interpreter-exec console ", c->token);
	put_string(&c->say, "target remote ", terminal);
	buf_putc(&c->say, '\n');
}

static void
say_flush(struct console *c)
{
	buf_printf(&c->say, "%u-interpreter-exec console \"maintenance flush "
			    "register-cache\"\n", ++c->token);
}

/* gdb's number of a frame need not be ours: of a call by a jump it may know
 * nothing. */
static void
say_list(struct console *c)
{
	const struct console_question *q = &c->question;

	c->listing = ++c->token;
	buf_printf(&c->say, "%u-stack-list-frames --thread %zu 0 %zu\n",
		   c->token, q->thread + 1, q->frame + FRAMES_MORE);
}

/* --thread and --frame hold for this command alone. */
static void
say_question(struct console *c)
{
	const struct console_question *q = &c->question;

	c->wanted = ++c->token;
	buf_printf(&c->say, "%u-interpreter-exec", c->token);
	if (q->has_frame)
		buf_printf(&c->say, " --thread %zu --frame %zu",
			   q->thread + 1, c->level);
	buf_puts(&c->say, " console ");
	put_string(&c->say, c->printed ? "print " : "", q->text);
	buf_putc(&c->say, '\n');
}

void
console_put_refusal(struct buf *b, const char *why)
{
	buf_puts(b, "^error,msg=");
	put_string(b, "", why);
	buf_putc(b, '\n');
}

/* ---- life ---- */

struct err *
console_new(const char *terminal, struct console **out)
{
	static const char *const settings[] = {
		"confirm off", "pagination off", "width 0", "height 0",
		/* Others write, too. */
		"stack-cache off", "code-cache off",
	};
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem();
	c->holders = 2;
	c->text.max = CONSOLE_TEXT_MAX;
	for (size_t k = 0; k < countof(settings); k++)
		say_set(c, settings[k]);
	say_connect(c, terminal);
	*out = c;
	return NULL;
}

static void
question_forget(struct console *c)
{
	free((char *)c->question.text);
	c->question = (struct console_question){ 0 };
	buf_reset(&c->text);
	c->asked = c->answered = c->cut = c->printed = false;
	/* What comes late is an answer to nothing. */
	c->wanted = c->listing = 0;
}

void
console_release(struct console *c)
{
	if (!c || --c->holders)
		return;
	question_forget(c);
	buf_fini(&c->in);
	buf_fini(&c->say);
	buf_fini(&c->text);
	err_free(c->err);
	free(c);
}

/* ---- the answer ---- */

static bool
is_waiting(const struct console *c)
{
	return c->asked && !c->answered;
}

/* Takes @err. */
static void
answer(struct console *c, struct err *err)
{
	if (!is_waiting(c)) {
		err_free(err);
		return;
	}
	c->answered = true;
	c->err = err;
}

void
console_end(struct console *c)
{
	c->over = true;
	answer(c, err_new(ERR_FAILED, c->connecting
			  ? "gdb ended before it could be asked; see whether "
			    "gdb runs on the machine of inquest"
			  : "gdb has ended"));
}

bool
console_is_over(const struct console *c)
{
	return c->over;
}

struct err *
console_question(struct console *c, const struct console_question *q)
{
	if (c->over)
		return err_new(ERR_FAILED, "gdb has ended");
	if (c->asked)
		return err_new(ERR_LIMIT, "gdb has not answered what was "
			       "asked before");
	if (strpbrk(q->text, "\r\n") || strlen(q->text) > QUESTION_MAX)
		return err_new(ERR_USAGE, "gdb is asked one line at a time");
	char *text = strdup(q->text);
	if (!text)
		return err_nomem();
	c->question = *q;
	c->question.text = text;
	c->asked = true;
	if (q->written)
		say_flush(c);
	c->level = q->frame;
	c->until_ns = now_ns() + CONSOLE_SECONDS * 1000000000ull;
	if (q->has_frame && q->frame && q->frame < FRAMES_MAX)
		say_list(c);
	else
		say_question(c);
	return buf_err(&c->say);
}

bool
console_answered(const struct console *c)
{
	return c->answered;
}

struct err *
console_take(struct console *c, struct buf *text)
{
	struct err *err = take(c->err);

	if (!err)
		buf_put(text, c->text.data ? c->text.data : "", c->text.len);
	while (text->len && text->data[text->len - 1] == '\n')
		text->len--;
	if (!err && c->cut)
		buf_printf(text, "\n... cut after %u bytes", CONSOLE_TEXT_MAX);
	/* For who takes it as a string. */
	buf_putc(text, '\0');
	question_forget(c);
	return err ? err : buf_err(text);
}

/* ---- what is heard ---- */

static void
text_put(struct console *c, const char *bytes, size_t n)
{
	size_t room = CONSOLE_TEXT_MAX - c->text.len;

	if (!is_waiting(c))
		return;
	c->cut |= n > room;
	buf_put(&c->text, bytes, n < room ? n : room);
}

static void
text_put_line(struct console *c, const char *s, size_t n)
{
	text_put(c, s, n);
	text_put(c, "\n", 1);
}

/* A character behind a backslash; *@n are used. */
static char
escaped(const char *s, size_t left, size_t *n)
{
	static const char names[] = "n\nt\tr\re\033a\ab\bf\fv\v";
	unsigned value = 0;

	*n = 0;
	while (*n < 3 && *n < left && s[*n] >= '0' && s[*n] <= '7')
		value = value * 8 + (unsigned)(s[(*n)++] - '0');
	if (*n)
		return (char)value;
	*n = left > 0;
	for (size_t k = 0; left && k + 1 < sizeof(names); k += 2)
		if (names[k] == *s)
			return names[k + 1];
	return left ? *s : '\\';
}

/* The string of C at the start of @s, without its quotes. */
static void
string_get(const char *s, size_t n, struct buf *out)
{
	size_t k = 1;

	if (!n || s[0] != '"')
		return;
	while (k < n && s[k] != '"') {
		size_t used = 0;

		if (s[k] == '\\') {
			k++;
			buf_putc(out, escaped(s + k, n - k, &used));
			k += used;
		} else {
			buf_putc(out, s[k++]);
		}
	}
}

/* Is it no command at all, so that it may be an expression? */
static bool
is_no_command(const char *message)
{
	static const char *const begins[] = { "Undefined ", "Ambiguous " };

	for (size_t k = 0; k < countof(begins); k++)
		if (strncmp(message, begins[k], strlen(begins[k])) == 0
		    && strstr(message, "command"))
			return true;
	return false;
}

static void
hear_error(struct console *c, unsigned token, const char *s, size_t n)
{
	static const char before[] = "^error,msg=";
	size_t at = sizeof(before) - 1;
	_buf_ struct buf message = { .max = CONSOLE_TEXT_MAX };

	if (n > at)
		string_get(s + at, n - at, &message);
	const char *text = message.data ? message.data : "gdb says no more";
	if (!token && c->connecting) {
		answer(c, err_new(ERR_FAILED, "gdb did not start on the "
				  "machine of inquest: %s", text));
		c->over = true;
	} else if (token == c->connecting && token) {
		answer(c, err_new(ERR_FAILED, "gdb cannot look at this: %s",
				  text));
		c->over = true;
	} else if (!is_waiting(c)) {
		return;
	} else if (token == c->listing && token) {
		/* It takes our word for it. */
		c->listing = 0;
		if (!c->answered)
			say_question(c);
	} else if (token == c->wanted && token && !c->printed
		   && is_no_command(text)) {
		c->printed = true;
		buf_reset(&c->text);
		say_question(c);
	} else if (token == c->wanted && token) {
		answer(c, err_new(ERR_FAILED, "%s", text));
	}
}

/* Frames are "frame={level="0",addr="0x…",…}"; quotes within strings have a
 * backslash before them. */
static bool
find_frame(struct console *c, const char *s, size_t n)
{
	static const char level[] = "frame={level=\"", addr[] = ",addr=\"";
	const struct console_question *q = &c->question;
	size_t same = 0;
	const char *p;

	while ((p = memmem(s, n, level, sizeof(level) - 1))) {
		char *end;
		const char *from = p + sizeof(level) - 1;
		unsigned long k = strtoul(from, &end, 10);

		n -= (size_t)(end - s);
		s = end;
		if (n < sizeof(addr) + 1
		    || memcmp(s + 1, addr, sizeof(addr) - 1) != 0)
			continue;
		if (strtoull(s + sizeof(addr), NULL, 16) != q->pc
		    || same++ < q->same)
			continue;
		c->level = k;
		return true;
	}
	return false;
}

static void
hear_list(struct console *c, const char *s, size_t n)
{
	c->listing = 0;
	if (c->answered)
		return;
	if (find_frame(c, s, n))
		say_question(c);
	else
		answer(c, err_new(ERR_NOTFOUND, "gdb does not see this frame; "
				  "ask in another one"));
}

/* A result record: "^done", "^error,msg=…", … */
static void
hear_result(struct console *c, unsigned token, const char *s, size_t n)
{
	static const char error[] = "^error", gone[] = "^exit";

	if (n >= sizeof(error) - 1 && memcmp(s, error, sizeof(error) - 1) == 0) {
		hear_error(c, token, s, n);
		return;
	}
	if (n >= sizeof(gone) - 1 && memcmp(s, gone, sizeof(gone) - 1) == 0)
		console_end(c);
	if (token && token == c->wanted) {
		answer(c, NULL);
		return;
	}
	/* What came before was not said to what was asked. */
	buf_reset(&c->text);
	if (token && token == c->listing && is_waiting(c))
		hear_list(c, s, n);
	if (token == c->connecting)
		c->connecting = 0;
}

static void
hear_stream(struct console *c, const char *s, size_t n)
{
	_buf_ struct buf text = { .max = LINE_BYTES_MAX };

	string_get(s + 1, n - 1, &text);
	if (text.len)
		text_put(c, text.data, text.len);
}

/* An error comes as a record besides; news, and the prompt, are for programs. */
static void
hear_line(struct console *c, const char *s, size_t n)
{
	static const char prompt[] = "(gdb)";
	unsigned token = 0;
	size_t k = 0;

	if (n && s[n - 1] == '\r')
		n--;
	while (k < n && k < 9 && s[k] >= '0' && s[k] <= '9')
		token = token * 10 + (unsigned)(s[k++] - '0');
	if (k < n && s[k] == '^')
		hear_result(c, token, s + k, n - k);
	else if (n && (s[0] == '~' || s[0] == '@'))
		hear_stream(c, s, n);
	else if (k == n || strchr("*+=&", s[k])
		 || (n >= sizeof(prompt) - 1
		     && memcmp(s, prompt, sizeof(prompt) - 1) == 0))
		return;
	else
		text_put_line(c, s, n);
}

struct err *
console_hear(struct console *c, const void *data, size_t n)
{
	size_t at = 0;

	buf_put(&c->in, data, n);
	struct err *err = buf_err(&c->in);
	while (!err && !c->over) {
		const char *line = c->in.data + at;
		char *end = memchr(c->in.data + at, '\n', c->in.len - at);

		if (!end)
			break;
		/* Numbers in it end, too. */
		*end = '\0';
		hear_line(c, line, (size_t)(end - line));
		at += (size_t)(end - line) + 1;
	}
	if (at) {
		memmove(c->in.data, c->in.data + at, c->in.len - at);
		c->in.len -= at;
	}
	if (c->in.len > LINE_BYTES_MAX)
		console_end(c);
	return err;
}

/* ---- its connection ---- */

static bool
is_late(const struct console *c)
{
	return is_waiting(c) && now_ns() >= c->until_ns;
}

bool
console_speaks(const struct console *c)
{
	return c->over || c->say.len || is_late(c);
}

struct err *
console_speak(struct console *c, struct buf *out)
{
	if (is_late(c)) {
		answer(c, err_new(ERR_LIMIT, "gdb took longer than %u "
				  "seconds, and was ended", CONSOLE_SECONDS));
		c->over = true;
	}
	if (!c->over && c->say.len)
		buf_put(out, c->say.data, c->say.len);
	buf_reset(&c->say);
	return NULL;
}

int
console_patience(const struct console *c)
{
	uint64_t now = now_ns();

	if (!is_waiting(c))
		return -1;
	return now >= c->until_ns ? 0
	       : (int)((c->until_ns - now) / 1000000) + 1;
}
