/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home: which store is meant when none is named, and opening it.
 */
#ifndef CMD_HOME_H
#define CMD_HOME_H

#include "store/store.h"

/** The project of whoever names none. */
#define HOME_PROJECT "default"

/**
 * Where the store is: @given (or NULL), else $INQUEST_STORE, else
 * $XDG_DATA_HOME/inquest, else ~/.local/share/inquest. The caller frees it.
 */
struct err *home_dir(const char *given, char **out) _must_check_;
/** Open it; with @create it is made, and the directories above it too. */
struct err *home_open(const char *given, bool create, struct store **out)
	_must_check_;
/**
 * The directory for what can be made again: $INQUEST_CACHE, else
 * $XDG_CACHE_HOME/inquest, else ~/.cache/inquest; made where it is missing, if
 * what it is in is the user's own. False: there is none. The caller frees it.
 */
bool home_cache(char **out);
/** A directory of the user's own, where nobody else can put anything; -1. */
int home_open_own(const char *path);
/** A project's or a tag's name as it was typed; ERR_USAGE if it is none. */
struct err *home_check_name(const char *what, const char *name) _must_check_;

#endif
