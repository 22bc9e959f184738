/** What is written beside a vote, and answers without their formatting. */

import assert from "node:assert/strict";
import test from "node:test";

import { obey } from "../../allos/notebook/board/frontend/src/commands.js";
import { initialState } from "../../allos/notebook/board/frontend/src/state.js";
import { INITIAL_VIEW } from "../../allos/notebook/board/frontend/src/view_state.js";
import { cutAlike } from "../../allos/notebook/board/frontend/src/second/levelled.js";
import { noteAndTags } from "../../allos/notebook/board/frontend/src/second/note.js";
import { readFileSync } from "node:fs";

const { snapshot, messages } = JSON.parse(readFileSync(new URL("messages.json", import.meta.url), "utf8"));

test("words behind # are tags, the rest is the note", () => {
  assert.deepEqual(noteAndTags(" kinder #polite and  shorter #höflich #a_b"), {
    note: "kinder and shorter",
    tags: ["polite", "höflich", "a_b"],
  });
  assert.deepEqual(noteAndTags("C#, a#b and #"), { note: "C#, a#b and #", tags: [] });
  assert.deepEqual(noteAndTags(""), { note: "", tags: [] });
});

test("the longer text is cut to the length of the shorter one, between words", () => {
  assert.deepEqual(cutAlike(["One two three four.", "One two"]), ["One two …", "One two"]);
  assert.deepEqual(cutAlike(["Same", "Same"]), ["Same", "Same"]);
  assert.deepEqual(cutAlike(["漢字漢字漢字", "漢字"]), ["漢字 …", "漢字"]);
  assert.deepEqual(cutAlike(["a\n\n\nb", "a\nb"]), ["a\nb", "a\nb"]);
});

test("v begins a vote; while people vote no other key shows whose an answer is", () => {
  const open = initialState(snapshot, 0);
  const blind = initialState(
    messages.find((/** @type {any} */ { message }) => message?.snapshot?.vote)?.message.snapshot,
    0,
  );

  assert.equal(obey("vote", open, INITIAL_VIEW).also, "vote");
  assert.equal(obey("vote", { ...open, connected: false }, INITIAL_VIEW).also, null);
  assert.equal(obey("focus", blind, INITIAL_VIEW).isTaken, false);
  assert.equal(obey("run", blind, INITIAL_VIEW).isTaken, false);
  assert.equal(obey("help", blind, INITIAL_VIEW).view.panel, "Help");
});
