/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process made of records, served by a stub: for tests and fuzzing of the
 * remote protocol.
 */
#ifndef TESTS_UNIT_MAKE_SERVED_H
#define TESTS_UNIT_MAKE_SERVED_H

#include "base/base.h"
#include "gdbstub/gdbstub.h"
#include "inspect/inspect.h"

/*
 * Pid 4242, "served one two", dead of SIGSEGV at 0x10 in its thread 4243.
 *   0x1000-0x3000  captured; the byte at A is served_byte(A)
 *   0x3000-0x4000  mapped, left out for the budget
 *   0x5000-0x6000  captured, zero
 *   0x8000-0x9000  captured, the library's
 * Modules: /bin/served at 0x1000, known by no file; /usr/lib/libx.so.1.2 at
 * 0x8000, opened as /lib/libx.so.1, composed of a skeleton; its build-id is
 * 20 times 0xbb, and its debug file (SERVED_DEBUG) is found by that.
 */
#define SERVED_THREADS 3
#define SERVED_DEBUG "a debug file"
#define SERVED_FILE_SIZE 0x4000u

uint8_t served_byte(uint64_t addr);

struct served {
	struct target target;
	struct snap_thread threads[SERVED_THREADS];
	struct insp *insp;
	struct stub *stub;
	struct buf out;         /* what the stub sent */
	struct buf reply;       /* the last one, decoded */
	unsigned debug_asked;   /* for debug files */
	struct supply supply;
};

/** The records, which a test may change before it opens them. */
void served_init(struct served *s);
struct err *served_open(struct served *s, const struct stub_options *options)
	_must_check_;
void served_close(struct served *s);

/** "$packet#sum" appended to @out. */
void served_frame(struct buf *out, const void *packet, size_t n);
/** Send bytes as they are; what came back is in @s->out. */
struct err *served_send(struct served *s, const void *bytes, size_t n)
	_must_check_;
/**
 * Send a packet. Yields the reply with run lengths undone, or NULL if what
 * came back was not one well-formed reply, console text before it apart; it
 * stays until the next call.
 */
const char *served_ask(struct served *s, const char *packet);
const char *served_ask_bytes(struct served *s, const void *packet, size_t n);
/** All of a qXfer object in pieces of @piece bytes, escapes undone. */
const char *served_object(struct served *s, const char *object, size_t piece);

/** Take one "$…#xx" off @bytes; false where the checksum or a run is wrong. */
bool served_decode(struct span *bytes, struct buf *out);

#endif
