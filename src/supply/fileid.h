/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fileid: has a file the build-id that it was asked for by?
 */
#ifndef SUPPLY_FILEID_H
#define SUPPLY_FILEID_H

#include "base/base.h"

/**
 * One of the notes of the ELF file @fd, by its segments or by its sections, is
 * that id. Of the file nothing else is looked at, and no more than FILEID_MAX
 * headers; false for what is no ELF file of 64 bits, little-endian.
 */
#define FILEID_MAX 1024u
bool fileid_is(int fd, const struct module_id *want) _must_check_;

#endif
