/**
 * A call's text in its box. Not a view of Preact's: streaming text is appended to a text node, which
 * costs what is new and not what is there.
 *
 * A model's words enter the page here, as text nodes. The one exception is the HTML of a finished
 * answer, which `allos.render` has made and sanitised in the kernel.
 *
 * @import { CellState } from "./state.js"
 */

import { nextAttemptAt } from "./format.js";

/** Longest run of text in one block: appending costs the layout of the whole block. */
const BLOCK_CHARS = 500;

/**
 * @param {string} names
 * @param {...(Node | string)} children
 */
function div(names, ...children) {
  const element = document.createElement("div");
  if (names) element.className = names;
  element.append(...children);
  return element;
}

/**
 * The only place where a string becomes markup: made and sanitised by allos.render in the kernel.
 * @param {Element} element
 * @param {string} html
 */
export function showMarkup(element, html) {
  element.innerHTML = html;
}

export class AnswerText {
  #box;
  /** Which run of which cell is shown, how much of its text, and which HTML. */
  #id = "";
  #chars = 0;
  /** @type {string | null} */
  #html = null;
  /** @type {HTMLElement | null} */
  #plain = null;
  /** @type {HTMLElement | null} */
  #aside = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** @param {CellState} cell */
  show(cell) {
    const id = `${cell.key} ${cell.run}`;
    if (this.#id !== id || cell.text.length < this.#chars || (this.#html && cell.html === null)) {
      this.#clear(id);
    }
    if (cell.html !== null) return this.#showHtml(cell.html);
    if (cell.text) this.#append(cell.text);
    this.#showAside(cell);
  }

  /** @param {string} id */
  #clear(id) {
    this.#box.replaceChildren();
    this.#id = id;
    this.#chars = 0;
    this.#html = this.#plain = this.#aside = null;
  }

  /** @param {string} html */
  #showHtml(html) {
    if (this.#html === html) return;
    this.#html = html;
    this.#chars = 0;
    this.#plain = this.#aside = null;
    showMarkup(this.#box, html);
    this.#box.scrollTop = 0;
    if (!this.#box.textContent?.trim() && !this.#box.querySelector("img")) {
      this.#box.append(div("aside", "Stopped before the first word."));
    }
  }

  /** Append to blocks of bounded size; a line end becomes the border of two. @param {string} text */
  #append(text) {
    if (!this.#plain) this.#box.append((this.#plain = div("plain", div(""))));
    let rest = text.slice(this.#chars);
    this.#chars = text.length;
    while (rest) {
      const block = /** @type {Element} */ (this.#plain.lastElementChild);
      const room = BLOCK_CHARS - (block.textContent ?? "").length;
      const cut = rest.length > room ? rest.indexOf("\n", Math.max(0, room)) : -1;
      const piece = cut < 0 ? rest : rest.slice(0, cut);
      if (block.firstChild) /** @type {Text} */ (block.firstChild).appendData(piece);
      else block.append(piece);
      if (cut < 0) return;
      this.#plain.append(div(""));
      rest = rest.slice(cut + 1);
    }
  }

  /** What goes on while there is nothing (more) to read. @param {CellState} cell */
  #showAside({ attempt, reasoning_chars, text }) {
    /** @type {(Node | string)[]} */
    const words = [];
    if (attempt) {
      const title = document.createElement("b");
      title.append(attempt.title);
      words.push(title, ` ${attempt.message}${nextAttemptAt(attempt, performance.now())}`);
    } else if (reasoning_chars && !text) {
      words.push(`Reasoning, ${reasoning_chars.toLocaleString("en")} characters`);
    }
    if (!words.length) {
      this.#aside?.remove();
      this.#aside = null;
      return;
    }
    if (!this.#aside) this.#box.prepend((this.#aside = div("")));
    this.#aside.className = attempt ? "aside warn" : "aside";
    this.#aside.replaceChildren(...words);
  }
}
