/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of /proc/PID (proc(5)), as hostile as the names that a process
 * chose for itself and its files. Nothing is opened here: bytes go in.
 */
#ifndef CAPTURE_TEXTS_H
#define CAPTURE_TEXTS_H

#include "base/base.h"
#include "snapfmt/snapfmt.h"

#define TEXT_MAPS_MAX (1u << 20)        /* mappings of one process */

/** What we take of /proc/PID/stat, or of /proc/PID/task/TID/stat. */
struct text_stat {
	struct span name;               /* borrowed from the text */
	char state;                     /* 'R', 'S', 'D', 'T', 't', 'Z', … */
	uint64_t ppid, flags, threads, start_time;
	uint64_t minor_faults, major_faults;
	uint64_t utime, stime;          /* clock ticks */
	int cpu;                        /* it ran on last; -1 = not told */
};
/** False if the line is none that the kernel writes. */
bool text_stat(struct span text, struct text_stat *out) _must_check_;

/** The value behind "@name:", as in /proc/PID/status; false without the line. */
bool text_status(struct span text, const char *name, struct span *out)
	_must_check_;
/** The same, its first word as a number of @base; false if it is none. */
bool text_status_number(struct span text, const char *name, unsigned base,
			uint64_t *out) _must_check_;

/**
 * Append every line of /proc/PID/maps to @maps, of struct snap_map, sorted and
 * disjoint whatever the text claims; paths as the kernel shows them, in @a.
 * ERR_DAMAGED names the line that is no mapping.
 */
struct err *text_maps(struct span text, struct arena *a, struct vec *maps)
	_must_check_;

/** What VmFlags of /proc/PID/smaps says of [start, end). */
struct text_flags {
	uint64_t start, end;
	bool dontdump;                  /* "dd": MADV_DONTDUMP */
	bool device;                    /* "io", "pf": of no page frames */
};
/** Append those mappings that have one of the flags to @flags. */
struct err *text_smaps(struct span text, struct arena *a, struct vec *flags)
	_must_check_;

/** The number in the line "@name N", as in /proc/stat; false without one. */
bool text_number_after(struct span text, const char *name, uint64_t *out)
	_must_check_;

/** The number in "socket:[N]", what a descriptor of a socket leads to. */
bool text_socket_link(const char *target, uint64_t *inode) _must_check_;
/** A line of /proc/net/{tcp,tcp6,udp,udp6,unix}. */
struct text_socket {
	uint64_t inode;
	unsigned state;                 /* of TCP; SS_* of a unix socket */
	unsigned type;                  /* SOCK_*; 0 for the others */
	bool listens;
	char local[56], remote[56];     /* "127.0.0.1:80", "[::]:0" */
	struct span path;               /* of a unix socket, in the text */
};
bool text_inet(struct span line, struct text_socket *out) _must_check_;
bool text_unix(struct span line, struct text_socket *out) _must_check_;
/** The next line of @text, which is cut to what is behind it. */
bool text_line(struct span *text, struct span *line) _must_check_;

#endif
