/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impl: what the files of serve share.
 */
#ifndef SERVE_IMPL_H
#define SERVE_IMPL_H

#include "net/net.h"
#include "serve/control.h"
#include "serve/follow.h"
#include "serve/host.h"
#include "serve/record.h"
#include "serve/serve.h"

/** worker_run() for snapshots that the server sends. */
struct err *worker_run_with(const struct worker_options *o,
			    const struct supply *supply) _must_check_;

#endif
