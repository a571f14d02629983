/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of its own for a test that needs files; gone after it. Include
 * after cmocka.h.
 */
#ifndef UNIT_TEMP_TREE_H
#define UNIT_TEMP_TREE_H

#include <limits.h>

/** Setup and teardown of a test: its state is the directory's path. */
int temp_tree_setup(void **state);
int temp_tree_teardown(void **state);

/** Write @text to @dir@name, making the directories on the way. */
void temp_tree_put(const char *dir, const char *name, const char *text);

#endif
