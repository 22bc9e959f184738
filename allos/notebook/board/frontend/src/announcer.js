/**
 * Tells a screen reader of starts and ends, a few at a time.
 *
 * @import { BoardState } from "./state.js"
 */

import { spokenState } from "./format.js";

const PAUSE_MS = 2000;
const FIRST_MS = 50;
/** Of more calls nobody wants to hear each one. */
const MAX_CALLS = 24;

export class Announcer {
  /** @type {Map<string, string>} */
  #announced = new Map();
  /** @type {string[]} */
  #waiting = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(words: string) => void} speak */
  constructor(speak) {
    this.speak = speak;
  }

  /** @param {BoardState} state */
  announce({ cells, columns, vote }) {
    if (vote) {
      // What was said of the models would still be there to read.
      this.#waiting.length = 0;
      return this.speak("");
    }
    if (cells.size > MAX_CALLS) return;
    for (const cell of cells.values()) {
      const word = spokenState(cell);
      const column = columns.find(({ key }) => key === cell.column);
      if (!column || this.#announced.get(cell.key) === word) continue;
      this.#announced.set(cell.key, word);
      this.#waiting.push(`${column.letter}, ${column.model}: ${word}`);
    }
    if (this.#waiting.length) this.#timer ??= setTimeout(() => this.#next(), FIRST_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #next() {
    this.#timer = undefined;
    if (!this.#waiting.length) return;
    this.speak(this.#waiting.splice(0).join(". "));
    this.#timer = setTimeout(() => this.#next(), PAUSE_MS);
  }
}
