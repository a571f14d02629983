// SPDX-License-Identifier: Apache-2.0
/*
 * driver.js MODULES COMMAND|PORT: a whole session, spoken by the client of npm's
 * @vscode/debugadapter-testsupport, which stands below MODULES. Prints TAP.
 */
"use strict";

const path = require("path");
const assert = require("assert");

const [modules, where] = process.argv.slice(2);
const { DebugClient } = require(path.join(
	modules, "@vscode", "debugadapter-testsupport"));

let number = 0, failed = 0;

async function step(name, work) {
	number += 1;
	try {
		const got = await work();
		console.log(`ok ${number} - ${name}`);
		return got;
	} catch (error) {
		failed += 1;
		console.log(`not ok ${number} - ${name}`);
		console.log(String(error.stack).split("\n").slice(0, 8)
			.map((line) => "# " + line).join("\n"));
		return undefined;
	}
}

async function refused(work) {
	await assert.rejects(work);
}

async function begin(client) {
	const stopped = client.waitForEvent("stopped");
	const initialized = client.waitForEvent("initialized");

	await step("initialize and attach", async () => {
		const answer = await client.initializeRequest();
		assert(answer.body.supportsConfigurationDoneRequest);
		await initialized;
		const attached = client.attachRequest({});
		await client.setBreakpointsRequest({
			source: { path: "/spoken.c" }, breakpoints: [{ line: 7 }],
		});
		await client.setExceptionBreakpointsRequest({ filters: [] });
		await client.configurationDoneRequest();
		await attached;
	});
	return (await step("it is stopped by a signal", async () => {
		const event = await stopped;
		assert.equal(event.body.reason, "exception");
		assert.match(event.body.description, /SIGSEGV/);
		return event.body;
	}) || {}).threadId;
}

async function look(client, threadId) {
	const frames = await step("threads and frames", async () => {
		const { threads } = (await client.threadsRequest()).body;
		assert.equal(threads[0].id, threadId);
		assert.equal(threads.length, 4);
		const stack = (await client.stackTraceRequest({
			threadId, startFrame: 0, levels: 20 })).body;
		assert.equal(stack.stackFrames[0].name, "deref");
		assert(stack.totalFrames >= 45);
		client.assertPath(stack.stackFrames[0].source.path,
				  /spoken\.c$/, "source");
		return stack.stackFrames;
	}) || [{}];
	const frameId = frames[0].id;
	await step("scopes and variables", async () => {
		const { scopes } = (await client.scopesRequest({ frameId })).body;
		const locals = scopes.find((s) => s.name === "Locals");
		const rows = (await client.variablesRequest({
			variablesReference: locals.variablesReference,
		})).body.variables;
		const big = rows.find((v) => v.name === "big");
		assert.equal(big.value, "9007199254740993");
		const high = rows.find((v) => v.name === "high");
		assert.equal(high.memoryReference, "0xffffffff81000001");
	});
	await step("expressions", async () => {
		const got = (await client.evaluateRequest({
			expression: "n->next->id", frameId, context: "watch",
		})).body;
		assert.equal(got.result, "2");
		await refused(client.evaluateRequest({
			expression: "n->nowhere", frameId, context: "watch" }));
	});
	return frames[0];
}

async function more(client, threadId, frame) {
	await step("why it died", async () => {
		const got = (await client.exceptionInfoRequest({ threadId })).body;
		assert.equal(got.exceptionId, "SIGSEGV");
	});
	await step("memory and code", async () => {
		const at = frame.instructionPointerReference;
		const memory = (await client.customRequest("readMemory", {
			memoryReference: at, count: 16 })).body;
		assert.equal(Buffer.from(memory.data, "base64").length, 16);
		const code = (await client.disassembleRequest({
			memoryReference: at, instructionOffset: -4,
			instructionCount: 9 })).body;
		assert.equal(code.instructions.length, 9);
		assert.equal(code.instructions[4].address, at);
	});
	await step("modules", async () => {
		const got = (await client.modulesRequest()).body;
		assert.equal(got.modules[0].id, frame.moduleId);
	});
	await step("completions", async () => {
		const got = (await client.completionsRequest({
			frameId: frame.id, text: "thou", column: 5 })).body;
		assert(got.targets.some((t) => t.label === "thousand"));
	});
	await step("all of the first paint in one answer", async () => {
		const answer = await client.customRequest("inquest/overview", {});

		assert.equal(answer.body.threads[0].id, threadId);
		assert(JSON.stringify(answer).length <= 65536);
	});
}

async function stay(client, threadId) {
	await step("it does not run, and goes on answering", async () => {
		await refused(client.nextRequest({ threadId }));
		await refused(client.continueRequest({ threadId }));
		await refused(client.launchRequest({}));
		await refused(client.customRequest("nothing", {}));
		const { threads } = (await client.threadsRequest()).body;
		assert.equal(threads[0].id, threadId);
	});
	await step("disconnect", () => client.disconnectRequest());
}

async function all(client) {
	const threadId = await begin(client);

	if (threadId === undefined)
		return;
	const frame = await look(client, threadId);
	await more(client, threadId, frame);
	await stay(client, threadId);
}

async function main() {
	const client = new DebugClient("/bin/sh", where, "inquest");

	client.defaultTimeout = 20000;
	await client.start(/^\d+$/.test(where) ? Number(where) : undefined);
	await all(client);
	client.stopAdapter();
	console.log(`1..${number}`);
	process.exit(failed ? 1 : 0);
}

main();
