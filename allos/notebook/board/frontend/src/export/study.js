/**
 * Blind votes without a kernel: which pair is next, what was voted, and the file that takes the votes home. The
 * kernel's side is `allos/runs/blind_study.py`, and `allos/log/vote_import.py`, which reads the file. Pure.
 *
 * @import { Choice, Voting } from "../protocol.js"
 *
 * @typedef {object} StudyData
 * @property {string} page id
 * @property {string} key signs votes
 * @property {string[]} rubric
 * @property {string} not_told
 * @property {Record<"a" | "b" | "tie" | "bad", string>} told with {left} and {right}
 * @property {Record<string, {system: string, prompt: string}>} prompts by row
 * @property {Record<string, {html: string, names: string, label: string}>} answers by the id of the response
 * @property {{key: string, row: string, left: string, right: string}[]} pairs
 *
 * @typedef {object} Ballot one vote, or one that takes another back, as the file has it
 * @property {string} id
 * @property {number} cast_at milliseconds since 1970
 * @property {string} [withdraws]
 * @property {string} [a] id of a response
 * @property {string} [b]
 * @property {"a" | "b" | "tie" | "bad"} [winner]
 * @property {"a" | "b"} [shown_first]
 * @property {number} [time_taken_s]
 * @property {string} [note]
 * @property {string[]} [tags]
 *
 * @typedef {{seed: number, ballots: Ballot[], rater: string}} Kept what a browser keeps
 * @typedef {{key: string, row: string, left: string, right: string, a: string, b: string}} Pair as it stands; `a` and
 *   `b` are in the order of the data
 */

import { hmacSha256 } from "./sha256.js";

export class Study {
  #data;
  /** @type {Pair[]} */
  #pairs;
  #turn = 0;
  /** @type {Kept} */
  kept;

  /** @param {StudyData} data @param {any} kept what this browser has kept, if it is valid @param {() => number} random */
  constructor(data, kept, random = Math.random) {
    this.#data = data;
    const isKept = typeof kept?.seed === "number" && Array.isArray(kept.ballots);
    this.kept = isKept ? { ...kept, rater: String(kept.rater ?? "") } : { seed: Math.floor(random() * 2 ** 32), ballots: [], rater: "" };
    this.#pairs = inOrder(data, this.kept.seed);
  }

  get count() {
    return this.#pairs.length;
  }

  /** Votes that were not taken back. */
  get standing() {
    const withdrawn = new Set(this.kept.ballots.map(({ withdraws }) => withdraws));
    return this.kept.ballots.filter(({ id, withdraws }) => !withdraws && !withdrawn.has(id));
  }

  /** The pair to vote on; null when there is none left. @returns {Voting | null} */
  state() {
    const { standing } = this;
    const pair = this.#pairs.find((each) => !standing.some((ballot) => isOn(ballot, each)));
    if (!pair) return null;
    const { answers, prompts, rubric } = this.#data;
    const side = (/** @type {string} */ id) => ({ html: answers[id]?.html ?? "", names: answers[id]?.names ?? "" });
    return {
      phase: "voting",
      turn: this.#turn,
      pair: pair.key,
      voted: standing.length,
      pairs: this.#pairs.length,
      system: prompts[pair.row]?.system ?? "",
      prompt: prompts[pair.row]?.prompt ?? "",
      sides: [side(pair.left), side(pair.right)],
      rubric,
      last: this.#told(),
    };
  }

  /** @param {{pair: string, choice: Choice, taken_s: number, note: string, tags: string[]}} vote @param {string} id @param {number} cast_at */
  cast({ pair: key, choice, taken_s, note, tags }, id, cast_at) {
    const pair = this.#pairs.find((each) => each.key === key);
    if (!pair || this.standing.some((ballot) => isOn(ballot, pair))) return;
    const isTurned = pair.left !== pair.a;
    const winner = choice === "left" ? (isTurned ? "b" : "a") : choice === "right" ? (isTurned ? "a" : "b") : choice;
    const { a, b } = pair;
    this.#add({ id, cast_at, a, b, winner, shown_first: isTurned ? "b" : "a", time_taken_s: Math.round(taken_s * 1000) / 1000, note, tags });
  }

  /** Take back the newest vote that stands. @param {string} id @param {number} cast_at */
  undo(id, cast_at) {
    const last = this.standing.at(-1);
    if (last) this.#add({ id, cast_at, withdraws: last.id });
  }

  /** The votes of this browser, signed. @param {string} rater */
  file(rater) {
    const body = JSON.stringify({ rater, votes: this.kept.ballots });
    const { page, key } = this.#data;
    return JSON.stringify({ allos_votes: 1, page, body, signature: hmacSha256(key, body) });
  }

  /** @param {Ballot} ballot */
  #add(ballot) {
    this.#turn += 1;
    this.kept = { ...this.kept, ballots: [...this.kept.ballots, ballot] };
  }

  /** What the newest vote said, with names once its prompt has all of its votes. */
  #told() {
    const { standing } = this;
    const last = standing.at(-1);
    const pair = last && this.#pairs.find((each) => isOn(last, each));
    if (!last?.winner || !pair) return "";
    const isOver = this.#pairs.every((each) => each.row !== pair.row || standing.some((ballot) => isOn(ballot, each)));
    if (!isOver) return this.#data.not_told;
    const isTurned = pair.left !== pair.a;
    const { winner } = last;
    const place = isTurned && winner === "a" ? "b" : isTurned && winner === "b" ? "a" : winner;
    const label = (/** @type {string} */ id) => this.#data.answers[id]?.label ?? "";
    return this.#data.told[place].replace("{left}", () => label(pair.left)).replace("{right}", () => label(pair.right));
  }
}

/** @param {Ballot} ballot @param {Pair} pair */
const isOn = ({ a, b }, pair) => a === pair.a && b === pair.b;

/** The pairs, shuffled for one browser: their order, and which answer of each stands on the left. @param {StudyData} data @param {number} seed @returns {Pair[]} */
function inOrder({ pairs }, seed) {
  const random = randomOf(seed);
  const shuffled = pairs.map(({ key, row, left, right }) => {
    const isTurned = random() < 0.5;
    return { key, row, a: left, b: right, left: isTurned ? right : left, right: isTurned ? left : right };
  });
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = /** @type {[Pair, Pair]} */ ([shuffled[other], shuffled[last]]);
  }
  return shuffled;
}

/** Numbers from 0 to 1 that a seed decides: mulberry32. @param {number} seed */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
