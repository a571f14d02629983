-- SPDX-License-Identifier: Apache-2.0
-- nvim.lua: a session of nvim-dap, without a screen; what it saw, as JSON.
-- DAP_PORT names a port that an adapter listens on, else it is started.
local dap = require("dap")
local seen = { requests = {} }

local function finish(why)
	seen.why = why
	local file = io.open(vim.env.DAP_RESULT, "w")
	file:write(vim.fn.json_encode(seen))
	file:close()
	vim.cmd("qa!")
end

if vim.env.DAP_PORT then
	dap.adapters.inquest = {
		type = "server", host = "127.0.0.1",
		port = tonumber(vim.env.DAP_PORT),
	}
else
	dap.adapters.inquest = function(callback, config)
		callback({ type = "executable", command = vim.env.INQUEST,
			   args = { "dap", config.snapshot } })
	end
end

local function ask(session, command, arguments, next_one)
	session:request(command, arguments, function(err, body)
		seen.requests[command] = body
			or { error = tostring(err and err.message or err) }
		next_one(body)
	end)
end

local function look(session)
	local frame = session.current_frame
	seen.frame = { name = frame.name, line = frame.line,
		       path = frame.source and frame.source.path }
	ask(session, "evaluate", { expression = "n->next->id",
		frameId = frame.id, context = "watch" }, function()
		ask(session, "scopes", { frameId = frame.id }, function(scopes)
			ask(session, "variables", { variablesReference =
				scopes.scopes[2].variablesReference },
				function()
				ask(session, "next", { threadId =
					session.stopped_thread_id }, function()
					ask(session, "threads", nil, function()
						finish()
					end)
				end)
			end)
		end)
	end)
end

dap.listeners.after.event_stopped.test = function(session, body)
	seen.stopped = body
	seen.stops = (seen.stops or 0) + 1
	local tries = 0
	local function wait()
		tries = tries + 1
		if session.current_frame then
			look(session)
		elseif tries < 400 then
			vim.defer_fn(wait, 20)
		else
			finish("no frame was shown")
		end
	end
	wait()
end

vim.defer_fn(function() finish("that took long") end, 20000)
dap.run({ type = "inquest", request = "attach", name = "crash",
	  snapshot = not vim.env.DAP_PORT and vim.env.DAP_SNAPSHOT or nil })
