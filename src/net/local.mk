# SPDX-License-Identifier: Apache-2.0
# HTTP, websocket and raw TCP.

noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/client.c \
	src/net/http.c \
	src/net/impl.h \
	src/net/listen.c \
	src/net/loop.c \
	src/net/messages.c \
	src/net/net.h \
	src/net/pipe.c \
	src/net/url.c \
	src/net/ws.c
