// SPDX-License-Identifier: Apache-2.0
/*
 * vscode.js MODULES URL CHROMIUM PICTURES: a person before VS Code, who starts
 * the debugger, looks, asks, steps, and reloads the window. Prints what was
 * seen, as JSON; a picture of each, too.
 */
"use strict";

const path = require("path");
const [modules, url, browser, pictures] = process.argv.slice(2);
const { chromium } = require(path.join(modules, "playwright-core"));

const seen = {};

async function note(page, name, look) {
	try {
		seen[name] = await look();
	} catch (problem) {
		seen[name] = "not seen: " + problem.message;
	}
	await page.screenshot({ path: path.join(pictures, name + ".png") });
}

const textOf = (page, where, what) => page.locator(where)
	.filter({ hasText: what }).first().innerText();

/* A key is lost while the focus moves, and before all is loaded; a menu takes
 * no click at once. */
async function until(act, awaited) {
	for (let tries = 0; tries < 8; tries++) {
		await act();
		if (await awaited.waitFor({ timeout: 6000 }).then(() => true,
								  () => false))
			return;
	}
	throw new Error("nothing came of it: " + awaited);
}

const press = (page, key, awaited) =>
	until(() => page.keyboard.press(key), awaited);

async function command(page, words) {
	const box = page.locator(".quick-input-widget input").first();
	await press(page, "F1", box);
	await box.fill(">" + words);
	await page.locator(".quick-input-list .monaco-list-row")
		.filter({ hasText: words }).first().click();
}

/* Until the first frame is there. */
async function begin(page) {
	const row = page.locator(".debug-call-stack .monaco-list-row")
		.filter({ hasText: "deref" }).first();
	await press(page, "F5", row);
	return row.innerText();
}

async function open(page) {
	await page.goto(url);
	/* The debugger's type is known when extensions are. */
	await page.locator(".monaco-workbench").waitFor();
	await command(page, "View: Show Run and Debug");
	await page.locator(".start-debug-action-item")
		.filter({ hasText: "the crash" }).first().waitFor();
}

async function ask(page, text) {
	await command(page, "Debug Console: Focus on Debug Console View");
	await page.keyboard.type(text);
	await page.keyboard.press("Escape");
	await page.keyboard.press("Enter");
	return textOf(page, ".repl .monaco-list-row", /^\s*2\s*$/);
}

async function step(page) {
	const told = page.locator(".notification-list-item")
		.filter({ hasText: "snapshot of the past" }).first();
	await press(page, "F10", told);
	return told.innerText();
}

async function disassembly(page) {
	const row = page.locator(".disassembly-view .monaco-list-row")
		.filter({ hasText: "(%rax), %edx" }).first();
	const frame = page.locator(".debug-call-stack .monaco-list-row")
		.filter({ hasText: "deref" }).first();
	const entry = page.locator(".context-view .action-label")
		.filter({ hasText: "Open Disassembly View" }).first();

	await frame.click({ button: "right" });
	await entry.waitFor();
	await until(() => entry.click({ timeout: 3000 }).catch(() => null), row);
	return row.innerText();
}

async function look(page) {
	await note(page, "open", () => open(page));
	await note(page, "stack", () => begin(page));
	await note(page, "why", () => textOf(page, ".exception-widget", "SIGSEGV"));
	await note(page, "variable", () => textOf(
		page, ".debug-variables .monaco-list-row", "depth"));
	await note(page, "line", () => textOf(page, ".view-line",
					      "n->next->next"));
	await note(page, "console", () => ask(page, "n->next->id"));
	await note(page, "step", () => step(page));
	await note(page, "disassembly", () => disassembly(page));
	await note(page, "reloaded", () => open(page).then(() => begin(page)));
}

(async () => {
	const b = await chromium.launch({ executablePath: browser,
					  args: ["--no-sandbox"] });
	try {
		const page = await b.newPage({ viewport: { width: 1600,
							   height: 1000 } });
		page.setDefaultTimeout(40000);
		await look(page);
	} finally {
		await b.close();
	}
	console.log(JSON.stringify(seen));
})();
