/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checked: is a symbol index that is kept as it was written?
 */
#ifndef SUPPLY_CHECKED_H
#define SUPPLY_CHECKED_H

#include "base/base.h"

/**
 * False where a jailed child, which reads all of it, finds a checksum wrong; an
 * error where that cannot be found out. @fd is borrowed.
 */
struct err *checked_index(int fd, bool *intact) _must_check_;

#endif
