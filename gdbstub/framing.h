/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing of the remote protocol: bytes to packets and back. Knows checksums
 * and run lengths, and nothing of what a packet means.
 */
#ifndef GDBSTUB_WIRE_H
#define GDBSTUB_WIRE_H

#include "base/base.h"

enum framing_event {
	FRAMING_NONE,             /* go on */
	FRAMING_PACKET,           /* data[0…len) is a packet, NUL behind it */
	FRAMING_BAD,              /* its checksum is wrong */
	FRAMING_OVERSIZE,         /* longer than the buffer; drained */
	FRAMING_ACK,
	FRAMING_NACK,
};

enum framing_state { FRAMING_IDLE, FRAMING_DATA, FRAMING_SUM_HIGH,
		     FRAMING_SUM_LOW };

/** Zero-initialised but for @data, a buffer of @max + 1 bytes. */
struct framing {
	char *data;
	size_t max, len;        /* len > max: being drained */
	enum framing_state state;
	uint8_t sum;            /* of what came */
	uint8_t claimed;        /* by the packet's end */
	bool broken;            /* the end is no number */
	bool unchecked;         /* no-ack mode: the checksum says nothing */
};

/** One byte from the client. A packet stays until the next call. */
enum framing_event framing_push(struct framing *f, uint8_t c);

/** Append "$payload#sum" to @out, runs of a byte shortened. */
void framing_put(struct buf *out, const void *payload, size_t n);

/**
 * Append @n bytes escaped for a binary reply, as long as @b stays within
 * @limit bytes; yields how many went in.
 */
size_t framing_put_binary(struct buf *b, const void *data, size_t n,
			size_t limit);
/** How long these bytes are once escaped. */
size_t framing_escaped(const void *data, size_t n);
/** Undo the escapes of a binary request in place; false if one is cut. */
bool framing_unescape(char *data, size_t *n);

#endif
