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
import { compare } from "./compare.js";
import { markChanges, Marks, paintFound } from "./paint.js";
import { endSlice, inSlices } from "./slices.js";

/** The page takes some milliseconds to lay out an answer of so many tokens: a few of them are a long frame. */
const LONG = 1000;

/** @param {string} json */
function lines(json) {
  const element = document.createElement("div");
  element.className = "plain json";
  element.textContent = json;
  const content = new DocumentFragment();
  content.append(element);
  return content;
}

/** @param {() => void} work @returns {Generator<undefined, void>} */
function* once(work) {
  work();
}

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
   * Mark what is different from other answers, and what is looked for; after `show`. All answers of a board
   * are compared before the first of them is drawn anew, which costs more.
   * @param {CellState} cell
   * @param {Compared | null} compared
   * @param {readonly string[]} words in lower case
   * @param {(added: number, gone: number) => void} tell counts of what differs
   * @param {() => void} refit called when the answer was drawn anew
   */
  async mark(cell, compared, words, tell, refit) {
    const { html } = cell;
    if (html === null || cell.is_deferred) return;
    const others = compared?.cells.filter(({ html }) => html !== null) ?? [];
    const unit = others.length ? compared?.unit : undefined;
    const marked =
      unit || words.length ? `${unit} ${others.map(({ key, run }) => `${key} ${run}`)} ${words.join(" ")}` : "";
    if (marked === this.#marked) return;
    this.#marked = marked;
    const turn = ++this.#turn;
    const isStale = () => turn !== this.#turn;
    if (!unit) {
      this.#draw(markup(html), [], words);
      tell(0, 0);
      return refit();
    }
    const found = await inSlices(compare({ ...cell, html }, others, unit), isStale);
    if (!found) return;
    let [added, gone] = [0, 0];
    for (const { a0, a1, b0, b1 } of found.changes) {
      added += b1 - b0;
      gone += a1 - a0;
    }
    tell(added, gone);
    const draw = () => {
      // Nodes that are not in the page yet are changed at a fifth of the cost.
      const content = found.json === null ? markup(html) : lines(found.json);
      this.#draw(content, markChanges(content, found.tokens, found.changes, found.base), words);
      refit();
      if (found.tokens.length > LONG) endSlice();
    };
    await inSlices(once(draw), isStale);
  }

  /** @param {Node} content @param {StaticRange[]} changed @param {readonly string[]} words */
  #draw(content, changed, words) {
    this.#unmark();
    this.#answer.draw(content);
    this.#new.add(changed);
    if (words.length) paintFound(this.#found, this.#box, words);
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
}
