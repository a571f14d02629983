/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else there is of variables, for who shows them: those that the snapshot
 * itself has, values that outlive the question, and values that are written.
 */
#ifndef VALUES_SHOWN_H
#define VALUES_SHOWN_H

#include "values/values.h"

/* ---- what the snapshot has ------------------------------------------------ */
/** Arguments and locals of a frame as the snapshot has them, as text: for where
 * scope_vars() finds none. NULL where it has none. */
const struct snap_variable *values_stored(const struct target *t,
					  const struct snap_frame *f,
					  size_t *n);

/** A variable that was asked for by name when the snapshot was taken. */
struct values_asked {
	const char *name;
	const struct snap_note *note;
	const struct value *value;              /* as an index has it, or… */
	const struct snap_variable *stored;     /* …as it was written, or NULL */
};
struct err *values_asked(struct values *vs, struct arena *a,
			 const struct values_asked **out, size_t *n)
	_must_check_;
/** Does it tell of one? */
bool values_is_asked(const struct snap_note *n);

/* ---- values ---------------------------------------------------------------- */
/** One outside of functions, as the thread of @s has it. */
struct err *var_value_in(const struct var *v, const struct scope *s,
			 struct arena *a, const struct value **out)
	_must_check_;

/** The same value, in @a and in no other memory; but the scope that it is from
 * is borrowed. What stands in memory is read anew each time. */
struct err *value_keep(const struct value *v, struct arena *a,
		       const struct value **out) _must_check_;
/** The same object: type, place, and what has no place byte by byte. */
bool value_is_same(const struct value *a, const struct value *b);

/** "*(T *)0x…", which yields it; nothing of what has no address. */
struct err *value_put_absolute(const struct value *v, struct buf *out)
	_must_check_;

/* ---- what is written -------------------------------------------------------- */
/** A number, pointer or structure that is in memory, or in a register of the
 * innermost frame. */
bool value_can_be_written(const struct value *v);
bool value_is_in_register(const struct value *v);
struct value_written {
	uint64_t addr;
	size_t n;
	bool in_register;       /* then stacks are to be unwound again */
};
/**
 * @from, converted as an assignment does, goes to where @to is: into what lies
 * over the engine (inspect/overlay.h). ERR_USAGE where that cannot be.
 */
struct err *value_write(const struct value *to, const struct value *from,
			struct arena *a, struct value_written *out)
	_must_check_;
/** The bytes that @from becomes in @to, in @a. */
struct err *value_bytes_for(const struct value *to, const struct value *from,
			    struct arena *a, struct span *out) _must_check_;
/** What @to is once that is done. */
struct err *value_converted(const struct value *to, const struct value *from,
			    struct arena *a, const struct value **out)
	_must_check_;
/** The low bytes of a register of a thread's innermost frame. */
struct err *values_write_register(struct values *vs, size_t thread, size_t reg,
				  struct span bytes) _must_check_;

#endif
