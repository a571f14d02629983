/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What client and stub tell each other while connecting: features, dialect,
 * modes ("General Query Packets" in the GDB manual).
 */
#include "gdbstub/impl.h"

#include <string.h>

/*
 * Nothing that costs a client trips without a gain: gdb 13 asks two packets
 * for each thread where branch tracing is promised, nine more for tracepoints.
 */
static const char *const FEATURES[] = {
	"QStartNoAckMode+", "multiprocess+", "vContSupported+", "swbreak+",
	"hwbreak+", "ReverseStep+", "ReverseContinue+", "binary-upload+",
	"error-message+", "qXfer:features:read+", "qXfer:auxv:read+",
	"qXfer:libraries-svr4:read+", "qXfer:threads:read+",
	"qXfer:exec-file:read+", "qXfer:siginfo:read+", "qXfer:osdata:read+",
};

static bool
offers(const struct span *list, const char *feature)
{
	const char *p = list->data, *end = p + list->n;
	size_t length = strlen(feature);

	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);

		if (n == length && memcmp(p, feature, n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* gdb says how it resumes, lldb does not; lldb writes bare thread ids even
 * where it offers the long ones, as lldb-server does. */
static void
recognise(struct stub *s, const struct span *offered)
{
	s->dialect = offers(offered, "vContSupported+") ? DIALECT_GDB
							: DIALECT_LLDB;
	s->multiprocess = s->dialect == DIALECT_GDB
			  && offers(offered, "multiprocess+");
	s->error_text = offers(offered, "error-message+");
}

struct err *
connect_supported(struct stub *s, const struct args *a)
{
	if (a->n)
		recognise(s, &a->v[0].bytes);
	buf_printf(&s->reply, "PacketSize=%zx", s->options.packet_size);
	for (size_t k = 0; k < countof(FEATURES); k++)
		buf_printf(&s->reply, ";%s", FEATURES[k]);
	return NULL;
}

struct err *
connect_no_ack(struct stub *s, const struct args *a)
{
	(void)a;
	s->no_ack = true;
	stub_ok(s);
	return NULL;
}

struct err *
connect_extended(struct stub *s, const struct args *a)
{
	(void)a;
	s->extended = true;
	stub_ok(s);
	return NULL;
}

/* "1": it was there before, so leaving detaches and does not kill. */
struct err *
connect_attached(struct stub *s, const struct args *a)
{
	(void)a;
	buf_putc(&s->reply, '1');
	return NULL;
}

/* "OK": no symbols are wanted. Thread-local storage needs none from here. */
struct err *
connect_symbol(struct stub *s, const struct args *a)
{
	(void)a;
	stub_ok(s);
	return NULL;
}
