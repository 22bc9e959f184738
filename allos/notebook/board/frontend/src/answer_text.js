/**
 * A call's text in its box. Not a view of Preact's: what streams is appended, which costs what is new and
 * not what is there.
 *
 * A model's words enter the page here, as text nodes. The one exception is the HTML of finished blocks and
 * answers, which `allos.render` has made and sanitised in the kernel.
 *
 * @import { CellState } from "./state.js"
 * @import { Marker } from "./diff/marker.js"
 */

import { copyButton } from "./copy.js";
import { nextAttemptAt } from "./format.js";
import { isEnded } from "./state.js";

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

/** What every element with rendered text of a model has: no typesetter touches it. */
const INERT = "mathjax_ignore tex2jax_ignore";

/**
 * The only place where a string becomes markup: made and sanitised by allos.render in the kernel.
 * @param {string} html
 */
export function markup(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const pre of template.content.querySelectorAll("pre:not(.allos-text)")) {
    const code = pre.textContent ?? "";
    const box = div("code");
    pre.replaceWith(box);
    box.append(pre, copyButton("Copy the code", () => code));
  }
  return template.content;
}

/**
 * Show HTML of allos.render alone in an element.
 * @param {Element} element
 * @param {string} html
 */
export function showMarkup(element, html) {
  element.replaceChildren(markup(html));
}

export class AnswerText {
  #box;
  /** Which run of which cell is shown, how much of its text, and which HTML. */
  #id = "";
  #chars = 0;
  #part = 0;
  /** @type {string | null} */
  #html = null;
  /** Blocks of the answer while it streams, how many, and how many nodes they are. @type {Element | null} */
  #blocks = null;
  #count = 0;
  #nodes = 0;
  /** @type {HTMLElement | null} */
  #plain = null;
  /** @type {HTMLElement | null} */
  #aside = null;
  /** Paints over the finished answer; it comes with the second script. @type {Marker | null} */
  marker = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** @param {CellState} cell */
  show(cell) {
    const id = `${cell.key} ${cell.run}`;
    const isShorter = cell.part === this.#part && cell.text.length < this.#chars;
    if (this.#id !== id || isShorter || cell.part < this.#part || (this.#html && cell.html === null)) {
      this.#clear(id);
    }
    if (cell.is_deferred) return this.#showDeferred(cell);
    if (cell.html !== null) return this.#showHtml(cell.html);
    if (cell.part !== this.#part) this.#showBlocks(cell);
    if (cell.text) this.#append(cell.text);
    this.#showAside(cell);
  }

  /** Take its marks out of the page's. */
  close() {
    this.marker?.forget();
  }

  /** The finished answer, with or without marks. @param {Node} content */
  draw(content) {
    this.#box.replaceChildren(content);
    this.#sayIfEmpty();
  }

  /** @param {CellState} cell */
  #showDeferred(cell) {
    this.#clear(this.#id);
    this.#box.append(div("aside", isEnded(cell) ? "…" : ""));
  }

  /** @param {string} id */
  #clear(id) {
    this.close();
    this.#box.replaceChildren();
    this.#id = id;
    this.#chars = this.#part = this.#count = this.#nodes = 0;
    this.#html = this.#plain = this.#aside = this.#blocks = null;
  }

  /** Append what is new of the blocks; the text behind them begins anew. @param {CellState} cell */
  #showBlocks({ part, blocks, open }) {
    this.#part = part;
    if (!this.#blocks) {
      this.#blocks = div(`allos-md ${INERT}`);
      const out = div(`allos-out ${INERT}`, this.#blocks);
      if (this.#plain) this.#plain.replaceWith(out);
      else this.#box.append(out);
    }
    const { childNodes } = this.#blocks;
    while (childNodes.length > this.#nodes) this.#blocks.lastChild?.remove();
    this.#blocks.append(markup(blocks.slice(this.#count).join("")));
    this.#count = blocks.length;
    this.#nodes = childNodes.length;
    this.#blocks.append(markup(open));
    this.#plain?.remove();
    this.#plain = null;
    this.#chars = 0;
  }

  /** @param {string} html */
  #showHtml(html) {
    if (this.#html === html) return;
    this.#clear(this.#id);
    this.#html = html;
    this.draw(markup(html));
  }

  #sayIfEmpty() {
    if (!this.#box.textContent?.trim() && !this.#box.querySelector("img")) {
      this.#box.append(div("aside", "Stopped before the first word."));
    }
  }

  /** Append to blocks of bounded size; a line end becomes the border of two. @param {string} text */
  #append(text) {
    if (!this.#plain) {
      this.#plain = div("plain", div(""));
      this.#plain.dir = "auto"; // else its first letter would turn the blocks before it
      this.#box.append(this.#plain);
    }
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
