# SPDX-License-Identifier: Apache-2.0
# The server: routes, sessions and their workers.

noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	src/serve/control.c \
	src/serve/control.h \
	src/serve/host.c \
	src/serve/host.h \
	src/serve/impl.h \
	src/serve/ingest.c \
	src/serve/record.c \
	src/serve/record.h \
	src/serve/serve.h \
	src/serve/worker.c
