/** How many columns stand in a row, and how much of a long text is shown. */

const NARROWEST_PX = 276;
/** Below this width a column's button stands under its state. */
const NARROW_PX = 345;
/** A button for a line or two would take as much room as it saves. */
const MIN_HIDDEN_LINES = 4;
const LINE_PX = 20;

/**
 * Equal rows: eight columns in a width of six stand four and four.
 * @param {number} count
 * @param {number} width_px
 */
export function arrange(count, width_px) {
  const most = Math.max(1, Math.floor(width_px / NARROWEST_PX));
  const rows = Math.ceil(Math.max(1, count) / most);
  const across = Math.ceil(Math.max(1, count) / rows);
  return { across, isNarrow: width_px / across < NARROW_PX };
}

/** A box of so many lines, and the button that shows the rest. */
export class Clamp {
  /** What the text is, for its button's label. */
  what = "";
  isExpanded = false;
  /** Whether more text is coming: then the end is shown. */
  isFollowing = false;
  #hidden = 0;
  #wasTail = false;

  /** @param {HTMLElement} box @param {HTMLButtonElement} button @param {number} lines */
  constructor(box, button, lines) {
    this.box = box;
    this.button = button;
    this.lines = lines;
    box.style.setProperty("--lines", String(lines));
  }

  get #isNeeded() {
    return this.#hidden >= MIN_HIDDEN_LINES;
  }

  get #isTail() {
    return this.#isNeeded && !this.isExpanded && this.isFollowing;
  }

  read() {
    const line_px = parseFloat(getComputedStyle(this.box).lineHeight) || LINE_PX;
    this.#hidden = Math.max(0, Math.round(this.box.scrollHeight / line_px - this.lines));
  }

  write() {
    const { box, button } = this;
    // A text that is no longer than its box stays as it is: what is written costs one more layout.
    box.classList.toggle("open", this.isExpanded || (this.#hidden > 0 && !this.#isNeeded));
    box.classList.toggle("tail", this.#isTail);
    box.classList.toggle("cut", this.#isNeeded && !this.isExpanded && !this.#isTail);
    button.hidden = !this.#isNeeded;
    button.setAttribute("aria-expanded", String(this.isExpanded));
    const label = this.isExpanded ? "Show less" : `${this.#hidden} more lines`;
    const spoken = this.isExpanded ? `Show less of ${this.what}` : `Show ${this.what}: ${label}`;
    if (button.ariaLabel === spoken) return;
    button.textContent = label;
    button.ariaLabel = spoken;
  }

  scroll() {
    if (this.#isTail || this.#wasTail) this.box.scrollTop = this.#isTail ? this.box.scrollHeight : 0;
    this.#wasTail = this.#isTail;
  }
}

/**
 * The clamps of one view. Each step is done for all of them: a size that is read after something was
 * written costs a layout of the page.
 */
export class Clamps {
  /** @type {Set<Clamp>} */
  #all = new Set();
  /** @type {Set<Clamp>} */
  #touched = new Set();
  /** @type {number | undefined} */
  #frame;

  /** @param {Clamp} clamp */
  add(clamp) {
    this.#all.add(clamp);
    return () => {
      this.#all.delete(clamp);
      this.#touched.delete(clamp);
    };
  }

  /** Its text or its state is another one: it is fitted with the next frame, if not before. @param {Clamp} clamp */
  touch(clamp) {
    this.#touched.add(clamp);
    this.#frame ??= requestAnimationFrame(() => this.fit());
  }

  /** Fit what was touched. */
  fit() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    for (const clamp of this.#touched) clamp.read();
    for (const clamp of this.#touched) clamp.write();
    for (const clamp of this.#touched) clamp.scroll();
    this.#touched.clear();
  }

  /** Fit every box: the width is another one. */
  fitAll() {
    for (const clamp of this.#all) this.#touched.add(clamp);
    this.fit();
  }
}
