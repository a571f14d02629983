/* SPDX-License-Identifier: Apache-2.0 */
/* library.h: between threads.c, its linked library and its plugin. */
#ifndef VICTIMS_LIBRARY_H
#define VICTIMS_LIBRARY_H

typedef int dereference_fn(void *where);
/** Sets the plugin's own variable to @number, or if 0 calls @fn(@where). */
typedef int plugin_call_fn(dereference_fn *fn, void *where, int number);

void library_set(int number);
int library_call(plugin_call_fn *call, dereference_fn *fn, void *where);

#endif
