/** Blind votes without a kernel: pairs, votes, and the file that takes them home. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { PageModel } from "../../allos/notebook/board/frontend/src/export/model.js";
import { hmacSha256 } from "../../allos/notebook/board/frontend/src/export/sha256.js";
import { Study } from "../../allos/notebook/board/frontend/src/export/study.js";

/** @import { StudyData } from "../../allos/notebook/board/frontend/src/export/study.js" */

const KEY = "6b".repeat(32);

/** @type {StudyData} */
const DATA = {
  page: "page_1",
  key: KEY,
  rubric: [],
  not_told: "Saved.",
  told: { a: "Left won: {left}, {right}", b: "Right won: {left}, {right}", tie: "Tie: {left}, {right}", bad: "Bad" },
  prompts: { 0: { system: "", prompt: "One?" }, 1: { system: "s", prompt: "Two?" } },
  answers: Object.fromEntries(
    ["a0", "b0", "c0", "a1", "b1"].map((id) => [id, { html: `<p>${id}</p>`, names: "", label: `model ${id[0]}` }]),
  ),
  pairs: [
    { key: "0", row: "0", left: "a0", right: "b0" },
    { key: "1", row: "0", left: "a0", right: "c0" },
    { key: "2", row: "0", left: "b0", right: "c0" },
    { key: "3", row: "1", left: "a1", right: "b1" },
  ],
};

const none = { taken_s: 1.5, note: "", tags: [] };

/** Votes for the same answer wherever it stands. @param {Study} study @param {string} id */
function voteFor(study, id, best = "c0") {
  const state = study.state();
  assert.ok(state);
  const choice = state.sides[0].html === `<p>${best}</p>` ? "left" : state.sides[1].html === `<p>${best}</p>` ? "right" : "tie";
  study.cast({ ...none, pair: state.pair, choice }, id, 1000);
  return state;
}

test("the signature is that of the kernel", () => {
  for (const text of ["", "Grüße 🎈", "x".repeat(1000), "y".repeat(55), "z".repeat(64)]) {
    const expected = createHmac("sha256", Buffer.from(KEY, "hex")).update(text).digest("hex");

    assert.equal(hmacSha256(KEY, text), expected);
  }
});

test("every pair is asked once, in an order and with sides of the browser's own", () => {
  const orders = new Set();
  for (const seed of Array(20).keys()) {
    const study = new Study(DATA, { seed, ballots: [] });
    const pairs = Array.from({ length: 4 }, (_, at) => voteFor(study, `vote-${at}`));
    orders.add(pairs.map(({ pair, sides }) => `${pair} ${sides[0].html}`).join());

    assert.deepEqual(pairs.map(({ pair }) => pair).sort(), ["0", "1", "2", "3"]);
    assert.equal(study.state(), null);
    // Whichever side it stood on, the vote is for the answer.
    for (const { a, b, winner } of study.standing) {
      assert.equal(winner, b === "c0" ? "b" : a === "c0" ? "a" : "tie");
    }
  }
  assert.ok(orders.size > 10);
});

test("names are told after the last pair of a prompt, as they stood", () => {
  const study = new Study(DATA, null);
  const told = [];
  for (let at = 0; at < 4; at++) {
    const { sides } = voteFor(study, `vote-${at}`);
    told.push([sides, study.state()?.last]);
  }
  const early = told.filter(([, last]) => last === "Saved.");

  assert.ok(early.length >= 2);
  study.undo("undo-1", 2000);
  assert.equal(study.standing.length, 3);
  assert.ok(study.state());
});

test("what was kept goes on, and what is not valid begins anew", () => {
  const study = new Study(DATA, null);
  voteFor(study, "vote-1");
  const next = study.state();
  const again = new Study(DATA, JSON.parse(JSON.stringify(study.kept)));

  assert.equal(again.state()?.pair, next?.pair);
  assert.equal(again.state()?.voted, 1);
  for (const wild of [7, {}, { seed: "x", ballots: [] }, { seed: 1, ballots: 7 }]) {
    assert.equal(new Study(DATA, wild).standing.length, 0);
  }
});

test("the file holds every step, signed", () => {
  const study = new Study(DATA, null);
  voteFor(study, "vote-1");
  study.undo("undo-1", 2000);
  const file = JSON.parse(study.file("Ann"));
  const { rater, votes } = JSON.parse(file.body);

  assert.equal(file.signature, hmacSha256(KEY, file.body));
  assert.deepEqual([file.allos_votes, file.page, rater], [1, "page_1", "Ann"]);
  assert.equal(votes.length, 2);
  assert.deepEqual(votes[1], { id: "undo-1", cast_at: 2000, withdraws: "vote-1" });
});

test("a page answers as a kernel does: names come with the last vote, or when a person stops", async () => {
  const { snapshot } = JSON.parse(readFileSync(new URL("messages.json", import.meta.url), "utf8"));
  const model = new PageModel({ snapshot, study: DATA });
  /** @type {any[]} */
  const heard = [];
  model.on("msg:custom", (message) => heard.push(message));
  assert.deepEqual([model.get("snapshot").columns, model.get("snapshot").cells], [[], []]);
  model.send({ action: "vote", pair: model.get("snapshot").vote.pair, choice: "tie", ...none });
  model.send({ action: "vote_stop" });
  model.send({ action: "vote_start" });
  model.send({ action: "run_again" });
  await undefined;

  assert.deepEqual(heard.map(({ type }) => type), ["update", "snapshot", "snapshot"]);
  assert.equal(heard[0].vote.voted, 1);
  assert.equal(heard[1].snapshot.columns.length, snapshot.columns.length);
  assert.equal(heard[2].snapshot.columns.length, 0);
});
