# SPDX-License-Identifier: Apache-2.0
# The server: routes, sessions and their workers.

noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	src/serve/serve.h
