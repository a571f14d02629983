# SPDX-License-Identifier: Apache-2.0
# The server: routes, sessions and their workers.

noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	src/serve/connection.c \
	src/serve/console.c \
	src/serve/console.h \
	src/serve/consoles.c \
	src/serve/consoles.h \
	src/serve/control.c \
	src/serve/control.h \
	src/serve/desk.c \
	src/serve/doors.c \
	src/serve/follow.c \
	src/serve/follow.h \
	src/serve/gdb.c \
	src/serve/gdb.h \
	src/serve/host.c \
	src/serve/host.h \
	src/serve/impl.h \
	src/serve/indexer.c \
	src/serve/indexer.h \
	src/serve/ingest.c \
	src/serve/metrics.c \
	src/serve/overlays.c \
	src/serve/overlays.h \
	src/serve/protocol.h \
	src/serve/protocols.c \
	src/serve/questions.c \
	src/serve/record.c \
	src/serve/record.h \
	src/serve/recordings.c \
	src/serve/routes.c \
	src/serve/serve.h \
	src/serve/server.c \
	src/serve/server.h \
	src/serve/sessions.c \
	src/serve/shelf.c \
	src/serve/shelf.h \
	src/serve/silents.c \
	src/serve/stored.c \
	src/serve/supplies.c \
	src/serve/tokens.c \
	src/serve/tokens.h \
	src/serve/worker.c \
	src/serve/worker.h \
	src/serve/zygote.c \
	src/serve/zygote.h

systemduserunitdir = $(prefix)/lib/systemd/user
nodist_systemduserunit_DATA = src/serve/inquest.service
dist_systemduserunit_DATA = src/serve/inquest.socket
EXTRA_DIST += src/serve/inquest.service.in
CLEANFILES += src/serve/inquest.service
src/serve/inquest.service: src/serve/inquest.service.in
	@$(MKDIR_P) src/serve
	$(AM_V_GEN)sed 's|[@]bindir[@]|$(bindir)|' \
		$(srcdir)/src/serve/inquest.service.in > $@.new && mv $@.new $@
