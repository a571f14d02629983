/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for the numbers that stand in a snapshot.
 */
#include "snapfmt/layout.h"
#include "snapfmt/resolved.h"

#define WORDS(name, ...) \
	static const char *const name##_list[] = { __VA_ARGS__ }; \
	const struct words text_##name = { name##_list, countof(name##_list) }

WORDS(os,
      [SNAP_OS_LINUX] = "linux",
      [SNAP_OS_FREEBSD] = "freebsd");
WORDS(state,
      [SNAP_STATE_UNKNOWN] = "unknown",
      [SNAP_STATE_RUNNING] = "running",
      [SNAP_STATE_SLEEPING] = "sleeping",
      [SNAP_STATE_BLOCKED] = "blocked",
      [SNAP_STATE_STOPPED] = "stopped",
      [SNAP_STATE_ZOMBIE] = "zombie",
      [SNAP_STATE_IDLE] = "idle");
WORDS(memory,
      [SNAP_MEM_DATA] = "data",
      [SNAP_MEM_ZERO] = "zero",
      [SNAP_MEM_FILE] = "file",
      [SNAP_MEM_ABSENT] = "absent",
      [SNAP_MEM_DELTA] = "delta",
      [SNAP_MEM_MOVED] = "moved");
WORDS(reason,
      [SNAP_ABSENT_UNKNOWN] = "unknown",
      [SNAP_ABSENT_BUDGET] = "budget",
      [SNAP_ABSENT_TIME] = "time",
      [SNAP_ABSENT_DEPTH] = "depth",
      [SNAP_ABSENT_UNREADABLE] = "unreadable",
      [SNAP_ABSENT_DONTDUMP] = "dontdump",
      [SNAP_ABSENT_DEVICE] = "device",
      [SNAP_ABSENT_REDACTED] = "redacted",
      [SNAP_ABSENT_CUT] = "cut",
      [SNAP_ABSENT_FILTER] = "filter");
WORDS(variable,
      [SNAP_VAR_ARGUMENT] = "argument",
      [SNAP_VAR_LOCAL] = "local",
      [SNAP_VAR_GLOBAL] = "global");
WORDS(value,
      [SNAP_VALUE_KNOWN] = "known",
      [SNAP_VALUE_OPTIMISED_OUT] = "optimised_out",
      [SNAP_VALUE_UNMAPPED] = "unmapped",
      [SNAP_VALUE_NOT_CAPTURED] = "not_captured",
      [SNAP_VALUE_UNKNOWN] = "unknown");
WORDS(how,
      [SNAP_FRAME_TOP] = "top",
      [SNAP_FRAME_CFI] = "cfi",
      [SNAP_FRAME_FP] = "fp",
      [SNAP_FRAME_SCAN] = "scan",
      [SNAP_FRAME_INLINE] = "inline",
      [SNAP_FRAME_TAIL] = "tail");
WORDS(attr,
      [SNAP_ATTR_STRING] = "string",
      [SNAP_ATTR_U64] = "u64",
      [SNAP_ATTR_I64] = "i64",
      [SNAP_ATTR_F64] = "f64",
      [SNAP_ATTR_BOOL] = "bool");
WORDS(severity,
      [SNAP_INFO] = "info",
      [SNAP_WARNING] = "warning",
      [SNAP_CRITICAL] = "critical");
WORDS(id,
      [ID_NONE] = "none",
      [ID_GNU_BUILD_ID] = "gnu",
      [ID_PDB] = "pdb",
      [ID_MACHO_UUID] = "macho",
      [ID_CONTENT] = "content");

_Static_assert(countof(reason_list) == SNAP_REASONS, "a word for each reason");

const char *
text_word(const struct words *w, uint64_t value)
{
	return value < w->n ? w->word[value] : NULL;
}

static const char *
word_or_question(const struct words *w, uint64_t value)
{
	const char *word = text_word(w, value);

	return word ? word : "?";
}

const char *
snap_reason_text(uint8_t reason)
{
	return word_or_question(&text_reason, reason);
}

/* The same for a person, as the end of a sentence. */
const char *
snap_reason_why(uint8_t reason)
{
	static const char *const words[SNAP_REASONS] = {
		[SNAP_ABSENT_UNKNOWN] = "not captured, for a reason nobody "
					"recorded",
		[SNAP_ABSENT_BUDGET] = "over the limit of bytes",
		[SNAP_ABSENT_TIME] = "there was no time left to copy it",
		[SNAP_ABSENT_DEPTH] = "too far from any stack to be kept",
		[SNAP_ABSENT_UNREADABLE] = "could not be read",
		[SNAP_ABSENT_DONTDUMP] = "the program asked for it not to be "
					 "dumped",
		[SNAP_ABSENT_DEVICE] = "belongs to a device",
		[SNAP_ABSENT_REDACTED] = "redacted",
		[SNAP_ABSENT_CUT] = "the file ends before it",
		[SNAP_ABSENT_FILTER] = "parts of files or shared, left out by "
				       "whoever took it",
	};

	return words[reason < SNAP_REASONS ? reason : SNAP_ABSENT_UNKNOWN];
}

const char *
snap_state_text(uint8_t state)
{
	return word_or_question(&text_state, state);
}
