/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal numbers: an operating system's to gdb's own, which are part of the
 * protocol (include/gdb/signals.def in gdb's sources).
 */
#include "gdbstub/impl.h"

enum { GDB_UNKNOWN = 143, GDB_REALTIME_32 = 77, GDB_REALTIME_33 = 45,
       GDB_REALTIME_64 = 78, GDB_INFO = 76 };

struct signal_row {
	const char *name;
	int gdb;
};

/* By Linux's numbers on x86-64 and most other machines (signal(7)). */
static const struct signal_row LINUX[] = {
	[1] = { "SIGHUP", 1 },     [2] = { "SIGINT", 2 },
	[3] = { "SIGQUIT", 3 },    [4] = { "SIGILL", 4 },
	[5] = { "SIGTRAP", 5 },    [6] = { "SIGABRT", 6 },
	[7] = { "SIGBUS", 10 },    [8] = { "SIGFPE", 8 },
	[9] = { "SIGKILL", 9 },    [10] = { "SIGUSR1", 30 },
	[11] = { "SIGSEGV", 11 },  [12] = { "SIGUSR2", 31 },
	[13] = { "SIGPIPE", 13 },  [14] = { "SIGALRM", 14 },
	[15] = { "SIGTERM", 15 },  [16] = { "SIGSTKFLT", GDB_UNKNOWN },
	[17] = { "SIGCHLD", 20 },  [18] = { "SIGCONT", 19 },
	[19] = { "SIGSTOP", 17 },  [20] = { "SIGTSTP", 18 },
	[21] = { "SIGTTIN", 21 },  [22] = { "SIGTTOU", 22 },
	[23] = { "SIGURG", 16 },   [24] = { "SIGXCPU", 24 },
	[25] = { "SIGXFSZ", 25 },  [26] = { "SIGVTALRM", 26 },
	[27] = { "SIGPROF", 27 },  [28] = { "SIGWINCH", 28 },
	[29] = { "SIGIO", 23 },    [30] = { "SIGPWR", 32 },
	[31] = { "SIGSYS", 12 },
};

/* By FreeBSD's numbers (sys/signal.h): gdb's own come from there. */
static const struct signal_row FREEBSD[] = {
	[1] = { "SIGHUP", 1 },     [2] = { "SIGINT", 2 },
	[3] = { "SIGQUIT", 3 },    [4] = { "SIGILL", 4 },
	[5] = { "SIGTRAP", 5 },    [6] = { "SIGABRT", 6 },
	[7] = { "SIGEMT", 7 },     [8] = { "SIGFPE", 8 },
	[9] = { "SIGKILL", 9 },    [10] = { "SIGBUS", 10 },
	[11] = { "SIGSEGV", 11 },  [12] = { "SIGSYS", 12 },
	[13] = { "SIGPIPE", 13 },  [14] = { "SIGALRM", 14 },
	[15] = { "SIGTERM", 15 },  [16] = { "SIGURG", 16 },
	[17] = { "SIGSTOP", 17 },  [18] = { "SIGTSTP", 18 },
	[19] = { "SIGCONT", 19 },  [20] = { "SIGCHLD", 20 },
	[21] = { "SIGTTIN", 21 },  [22] = { "SIGTTOU", 22 },
	[23] = { "SIGIO", 23 },    [24] = { "SIGXCPU", 24 },
	[25] = { "SIGXFSZ", 25 },  [26] = { "SIGVTALRM", 26 },
	[27] = { "SIGPROF", 27 },  [28] = { "SIGWINCH", 28 },
	[29] = { "SIGINFO", GDB_INFO },
	[30] = { "SIGUSR1", 30 },  [31] = { "SIGUSR2", 31 },
};

static const struct signal_row *
signals_find(uint8_t os, int signal)
{
	const struct signal_row *rows = LINUX;
	size_t n = countof(LINUX);

	if (os == SNAP_OS_FREEBSD) {
		rows = FREEBSD;
		n = countof(FREEBSD);
	}
	return signal > 0 && (size_t)signal < n ? &rows[signal] : NULL;
}

int
signals_gdb(uint8_t os, int signal)
{
	const struct signal_row *row = signals_find(os, signal);

	if (row)
		return row->gdb;
	if (signal == 0)
		return 0;
	if (os == SNAP_OS_FREEBSD || signal < 32 || signal > 64)
		return GDB_UNKNOWN;
	return signal == 32 ? GDB_REALTIME_32
	       : signal == 64 ? GDB_REALTIME_64
	       : GDB_REALTIME_33 + (signal - 33);
}

const char *
signals_name(uint8_t os, int signal)
{
	const struct signal_row *row = signals_find(os, signal);

	return row ? row->name : NULL;
}
