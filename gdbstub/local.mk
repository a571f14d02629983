# SPDX-License-Identifier: Apache-2.0
# The GDB remote protocol over one session.

noinst_LIBRARIES += libgdbstub.a
libgdbstub_a_SOURCES = \
	gdbstub/ahead.c \
	gdbstub/args.c \
	gdbstub/args.h \
	gdbstub/byid.c \
	gdbstub/connect.c \
	gdbstub/diff.c \
	gdbstub/framing.c \
	gdbstub/framing.h \
	gdbstub/gdbstub.h \
	gdbstub/host.c \
	gdbstub/impl.h \
	gdbstub/inferior.c \
	gdbstub/jmodules.c \
	gdbstub/jthreads.c \
	gdbstub/inside.c \
	gdbstub/libraries.c \
	gdbstub/lldb.c \
	gdbstub/maps.c \
	gdbstub/memory.c \
	gdbstub/monitor.c \
	gdbstub/namespaces.c \
	gdbstub/osdata.c \
	gdbstub/overlay.c \
	gdbstub/packets.c \
	gdbstub/platform.c \
	gdbstub/points.c \
	gdbstub/proc.c \
	gdbstub/regs.c \
	gdbstub/resume.c \
	gdbstub/shown.c \
	gdbstub/signals.c \
	gdbstub/stop.c \
	gdbstub/stub.c \
	gdbstub/tables.c \
	gdbstub/tables.h \
	gdbstub/targetxml.c \
	gdbstub/threads.c \
	gdbstub/timeline.c \
	gdbstub/vfile.c \
	gdbstub/vfs.c \
	gdbstub/watch.c \
	gdbstub/xfer.c

# The script that gdb is given, as a string of C without its comments.
EXTRA_DIST += gdbstub/inside.py
CLEANFILES += gdbstub/script.c
nodist_libgdbstub_a_SOURCES = gdbstub/script.c
gdbstub/script.c: gdbstub/inside.py
	@$(MKDIR_P) gdbstub
	$(AM_V_GEN)( echo 'extern const char inside_script[];' ; \
		echo 'const char inside_script[] =' ; \
		sed -e '/^ *#/d; /^$$/d; s/[\\"]/\\&/g' \
			-e 's/^/"/; s/$$/\\n"/' $(srcdir)/gdbstub/inside.py ; \
		echo ';' ) > $@.new && mv -f $@.new $@
