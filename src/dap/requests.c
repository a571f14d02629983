/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of requests: who answers, and what a client is told it may ask.
 */
#include "dap/impl.h"

#include <string.h>

#define OURS "inquest/"

static void
after_initialize(struct dap *d)
{
	d->initialised = true;
	dap_event(d, "initialized", NULL);
}

static void
after_disconnect(struct dap *d)
{
	d->done = true;
}

static const struct request requests[] = {
	/* the session */
	{ "initialize", session_initialize, NULL, REQUEST_FIRST,
	  after_initialize },
	{ "attach", session_attach, NULL, REQUEST_EARLY, session_after_attach },
	{ "launch", session_launch, NULL, REQUEST_EARLY, NULL },
	{ "configurationDone", session_configured,
	  "supportsConfigurationDoneRequest", REQUEST_EARLY,
	  session_after_attach },
	{ "disconnect", session_disconnect, NULL, REQUEST_FIRST,
	  after_disconnect },
	{ "cancel", session_cancel, "supportsCancelRequest", REQUEST_EARLY,
	  NULL },
	{ "setBreakpoints", session_breakpoints, NULL, REQUEST_EARLY, NULL },
	{ "setFunctionBreakpoints", session_breakpoints, NULL, REQUEST_EARLY,
	  NULL },
	{ "setExceptionBreakpoints", session_exception_breakpoints, NULL,
	  REQUEST_EARLY, NULL },

	/* threads and stacks */
	{ "threads", stack_threads, NULL, 0, NULL },
	{ "stackTrace", stack_trace, "supportsDelayedStackTraceLoading", 0,
	  news_after_stack },
	{ "scopes", stack_scopes, NULL, 0, NULL },
	{ "exceptionInfo", exception_info, "supportsExceptionInfoRequest", 0,
	  NULL },

	/* variables and memory */
	{ "variables", variables_answer, "supportsValueFormattingOptions", 0,
	  NULL },
	{ "evaluate", evaluate_answer, "supportsEvaluateForHovers", 0, NULL },
	{ "setVariable", write_variable, "supportsSetVariable", 0, NULL },
	{ "setExpression", write_expression, "supportsSetExpression", 0, NULL },
	{ "completions", complete_answer, "supportsCompletionsRequest", 0,
	  NULL },
	{ "readMemory", memory_answer_read, "supportsReadMemoryRequest", 0,
	  NULL },
	{ "writeMemory", memory_answer_write, "supportsWriteMemoryRequest", 0, NULL },

	/* code */
	{ "disassemble", disassemble_answer, "supportsDisassembleRequest", 0,
	  NULL },
	{ "modules", modules_answer, "supportsModulesRequest", 0, NULL },
	{ "source", sources_answer, NULL, 0, NULL },
	{ "loadedSources", sources_loaded, "supportsLoadedSourcesRequest", 0,
	  NULL },
	{ "locations", locations_answer, NULL, 0, NULL },

	/* ours: what happened */
	{ OURS "overview", overview_answer, NULL, 0, NULL },
	{ OURS "threadGroups", alike_answer, NULL, 0, NULL },
	{ OURS "series", moves_answer, NULL, 0, NULL },
	{ OURS "diff", diff_answer, NULL, 0, NULL },

	/* ours: what was recorded */
	{ OURS "maps", maps_answer, NULL, 0, NULL },
	{ OURS "attributes", facts_attributes, NULL, 0, NULL },
	{ OURS "notes", facts_notes, NULL, 0, NULL },
	{ OURS "annotations", facts_annotations, NULL, 0, NULL },
	{ OURS "kernelStack", around_kernel_stack, NULL, 0, NULL },
	{ OURS "fds", around_fds, NULL, 0, NULL },
	{ OURS "environment", around_environment, NULL, 0, NULL },
	{ OURS "describeAddress", describe_answer, NULL, 0, NULL },
	{ OURS "search", search_answer, NULL, 0, NULL },
	{ OURS "link", link_answer, NULL, 0, NULL },
	{ OURS "export", export_answer, NULL, 0, NULL },

	/* moves along a series; else nothing runs */
	{ "continue", moves_continue, NULL, 0, moves_arrive },
	{ "next", moves_next, NULL, 0, moves_arrive },
	{ "stepBack", moves_back, NULL, 0, moves_arrive },
	{ "reverseContinue", moves_back, NULL, 0, moves_arrive },

	/* what would run, and does not */
	{ "stepIn", session_refuse_to_run, NULL, 0, NULL },
	{ "stepOut", session_refuse_to_run, NULL, 0, NULL },
	{ "pause", session_refuse_to_run, NULL, 0, NULL },
	{ "goto", session_refuse_to_run, NULL, 0, NULL },
	{ "gotoTargets", session_refuse_to_run, NULL, 0, NULL },
	{ "restart", session_refuse_to_run, NULL, 0, NULL },
	{ "restartFrame", session_refuse_to_run, NULL, 0, NULL },
	{ "terminateThreads", session_refuse_to_run, NULL, 0, NULL },
	{ "dataBreakpointInfo", session_refuse_to_run, NULL, 0, NULL },
};

const struct request *
requests_find(const char *command)
{
	for (size_t k = 0; k < countof(requests); k++)
		if (strcmp(requests[k].command, command) == 0)
			return &requests[k];
	return NULL;
}

void
requests_put_capabilities(struct json *body)
{
	struct json *ours = json_object(), *names = json_array();

	for (size_t k = 0; k < countof(requests); k++) {
		const struct request *r = &requests[k];

		if (r->capability)
			json_set(body, r->capability, json_bool(true));
		if (strncmp(r->command, OURS, sizeof(OURS) - 1) == 0)
			json_add(names, json_string(r->command));
	}
	json_set(body, "supportsClipboardContext", json_bool(true));
	modules_put_columns(body);
	json_set(ours, "version", json_i64(1));
	json_set(ours, "requests", names);
	json_set(body, "inquest", ours);
}
