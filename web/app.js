// SPDX-License-Identifier: Apache-2.0
// The console's one entry: pages are complete without it, this makes them quick to work with.
import { decideByKey, startDecisions, undoLast } from "./decide.js";
import { closeDrawer, showRawOfRow, startDrawer } from "./drawer.js";
import { addShortcuts, showHelp, startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { isSignedIn, make, pageName, say } from "./page.js";
import { showPalette } from "./palette.js";
import { focusQuery, startQuery } from "./query.js";
import { clearSelection, move, openRow, startRows, toggleSelection } from "./rows.js";
import { lastList, startSelection } from "./selection.js";
import { startSuppressions } from "./suppress.js";
import { startTimes } from "./time.js";
import { startPreview, tune } from "./tune.js";
import { unpack } from "./unpack.js";
import { startView, takeIn } from "./view.js";
import { startViews } from "./views.js";

/** Closes what is open, innermost first; with nothing open, back to the list. */
function back() {
	if (closeDrawer() || clearSelection())
		return true;
	if (pageName() !== "incident" && pageName() !== "alert")
		return false;
	location.assign(lastList() ?? (pageName() === "alert" ? "/alerts" : "/incidents"));
	return true;
}

/** @param {string} path */
const go = (path) => () => location.assign(path);

addShortcuts([
	{ keys: "j", run: () => move(1) },
	{ keys: "k", run: () => move(-1) },
	{ keys: "Enter", run: openRow },
	{ keys: "Esc", run: back },
	{ keys: "x", run: () => toggleSelection(false) },
	{ keys: "Shift+x", run: () => toggleSelection(true) },
	{ keys: "a", run: () => decideByKey("ack") },
	{ keys: "s", run: () => decideByKey("assign") },
	{ keys: "c", run: () => decideByKey("comment") },
	{ keys: "m", run: () => decideByKey("merge") },
	{ keys: "z", run: () => decideByKey("snooze") },
	{ keys: "R", run: () => decideByKey("resolve") },
	{ keys: "t", run: tune },
	{ keys: "r", run: showRawOfRow },
	{ keys: "u", run: undoLast },
	{ keys: ".", run: takeIn },
	{ keys: "/", run: focusQuery },
	{ keys: "g i", run: go("/incidents") },
	{ keys: "g a", run: go("/alerts") },
	{ keys: "g s", run: go("/suppressions") },
	{ keys: "g h", run: go("/health") },
	{ keys: "g o", run: go("/") },
	{ keys: "?", run: showHelp },
	{ keys: "Ctrl+K", run: showPalette },
]);

/* Every key has something to see and to press. */
function addButtons() {
	const help = make("button", { type: "button", "data-help": true }, say("keys"));
	const commands = make("button", { type: "button", "data-palette": true }, say("commands"));
	commands.addEventListener("click", showPalette);
	document.querySelector("footer")?.append(help, commands);
}

unpack(document);
startTimes();
if (isSignedIn()) {
	startRows();
	startSelection();
	startDecisions();
	startDrawer();
	startSuppressions();
	startPreview();
	startQuery();
	startView();
	startViews();
	startKeys();
	startLive();
	addButtons();
}
document.body.dataset.ready = "";
