# SPDX-License-Identifier: Apache-2.0
# HTTP, websocket and raw TCP.

noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/listen.c \
	src/net/net.h
