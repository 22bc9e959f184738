/**
 * Marks in one finished answer: what differs from others, and what is looked for.
 *
 * @import { AnswerText } from "../answer_text.js"
 * @import { CellState } from "../state.js"
 * @import { DiffUnit } from "../view_state.js"
 *
 * @typedef {object} Compared what an answer is compared with
 * @property {DiffUnit} unit
 * @property {readonly CellState[]} cells one, or all others for `only`
 */

import { markup } from "../answer_text.js";
import { diffTokens, onlyHere } from "./diff.js";
import { canonicalJson } from "./json.js";
import { Marks, paintChanges, paintFound } from "./paint.js";
import { inSlices } from "./slices.js";
import { textOf } from "./text_of.js";
import { tokenize } from "./tokens.js";

export class Marker {
  #box;
  #answer;
  /** What the answer is compared with, as a text, and the words that are looked for; empty for neither. */
  #marked = "";
  /** Grows with each comparison: an older one is given up. */
  #turn = 0;
  #new = new Marks("allos-new");
  #found = new Marks("allos-found");

  /** @param {HTMLElement} box @param {AnswerText} answer in the box */
  constructor(box, answer) {
    this.#box = box;
    this.#answer = answer;
  }

  /**
   * Mark what is different from other answers, and what is looked for; after `show`.
   * @param {CellState} cell
   * @param {Compared | null} compared
   * @param {readonly string[]} words in lower case
   * @param {(added: number, gone: number) => void} tell counts of what differs
   */
  async mark(cell, compared, words, tell) {
    if (cell.html === null || cell.is_deferred) return undefined;
    const others = compared?.cells.filter(({ html }) => html !== null) ?? [];
    const unit = others.length ? compared?.unit : undefined;
    const marked =
      unit || words.length ? `${unit} ${others.map(({ key, run }) => `${key} ${run}`)} ${words.join(" ")}` : "";
    if (marked === this.#marked) return undefined;
    const html = cell.html;
    this.#marked = marked;
    const turn = ++this.#turn;
    const isStale = () => turn !== this.#turn;
    if (!unit) {
      this.#unmark();
      this.#answer.draw(html);
      this.#paintWords(words);
      return tell(0, 0);
    }
    const jsons = unit === "json" ? [cell, ...others].map(({ source }) => canonicalJson(source)) : [];
    const [json, base_json] = jsons;
    const isJson = json != null && base_json != null;
    const granularity = isJson ? "line" : unit === "sentences" ? "sentence" : "word";
    const compare = function* () {
      const here = isJson ? json : textOf(markup(html)).text;
      const tokens = yield* tokenize(here, granularity);
      const bases = [];
      for (const { html } of others) {
        const text = isJson ? base_json : textOf(markup(html ?? "")).text;
        bases.push({ text, tokens: yield* tokenize(text, granularity) });
      }
      const base = /** @type {(typeof bases)[number]} */ (bases[0]);
      const changes =
        unit === "only"
          ? yield* onlyHere(tokens, bases.map((each) => each.tokens))
          : yield* diffTokens(base.tokens, tokens);
      return { tokens, changes, base: unit === "only" ? null : base };
    };
    const result = await inSlices(compare(), isStale);
    if (!result) return undefined;
    const { changes } = result;
    this.#unmark();
    if (isJson) this.#answer.drawPlain(json);
    else this.#answer.draw(html);
    paintChanges(this.#new, this.#box, result.tokens, changes, result.base);
    this.#paintWords(words);
    const sum = (/** @type {(change: (typeof changes)[number]) => number} */ of) =>
      changes.reduce((total, change) => total + of(change), 0);
    return tell(sum(({ b0, b1 }) => b1 - b0), sum(({ a0, a1 }) => a1 - a0));
  }

  /** The answer is drawn anew, or gone: take its marks out of the page's. */
  forget() {
    this.#turn++;
    this.#marked = "";
    this.#unmark();
  }

  #unmark() {
    this.#new.clear();
    this.#found.clear();
  }

  /** @param {readonly string[]} words */
  #paintWords(words) {
    if (words.length) paintFound(this.#found, this.#box, words);
  }
}
