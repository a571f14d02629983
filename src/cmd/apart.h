/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apart: a process for work that nobody waits for.
 */
#ifndef CMD_APART_H
#define CMD_APART_H

#include "base/base.h"

/**
 * True in the new process, which is at the lowest priority, in a group of its
 * own, and has no descriptor but @keep, nor anyone's terminal or pipe; it ends
 * with _exit(). False in the caller, also where there is none.
 */
bool apart(int keep);
/** Alone at work in directory @dir? For as long as *@lock is open. */
bool apart_alone(int dir, int *lock);

#endif
