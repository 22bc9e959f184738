/**
 * One store for each widget model: it hears the kernel, keeps the state, and tells the views.
 *
 * @import { Second } from "./later.js"
 * @import { Action, CellAction, KernelMessage, ScriptMessage } from "./protocol.js"
 * @import { BoardEvent, BoardState } from "./state.js"
 *
 * @typedef {object} Model what of anywidget's model is used
 * @property {(name: string) => any} get
 * @property {(event: string, listener: (...args: any[]) => void) => void} on
 * @property {(event: string, listener: (...args: any[]) => void) => void} off
 * @property {(message: Action) => void} send
 * @property {(name: string, value: unknown) => void} [set]
 * @property {() => void} [save_changes]
 * @property {any} [widget_manager]
 */

import { initialState, isActive, isEnded, reduce } from "./state.js";

/** A notebook server drops messages when there are too many at once, the last ones of a run too. */
const SYNC_TIMEOUT_MS = 5000;
const MAX_SYNC_TIMEOUT_MS = 60_000;
/** A press meant for Stop must not become a Retry, which costs money. */
const SETTLE_MS = 700;
const REQUEST_MS = 30;
const KEEP_MS = 300;
/** A kernel that has not answered by then is in a cell, or gone. */
const PATIENCE_MS = 1500;
const WAITING = "The kernel is busy. This opens when its cell has ended.";
const GONE = "This needs the kernel.";
/** Events of a model whose kernel is gone. */
const CLOSING = ["comm_live_update", "comm:close", "destroy"];
const DEAD = new Set(["dead", "autorestarting"]);

export class Store {
  #model;
  #evaluate;
  #heard_at_ms = performance.now();
  #sync_timeout_ms = SYNC_TIMEOUT_MS;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {(() => void)[]} */
  #undo = [];
  /** @type {Set<string>} */
  #wanted = new Set();
  /** @type {BoardState} */
  state;
  /** The second script, and why it is not here. @type {import("./views/context.js").LaterState} */
  later = { second: null, said: "" };
  #isLoading = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #keeping;

  /** @param {Model} model @param {(text: string) => Promise<Second>} evaluate makes the second script of its text */
  constructor(model, evaluate) {
    this.#model = model;
    this.isEditable = model.get("editable") === true;
    this.#evaluate = evaluate;
    this.state = initialState(model.get("snapshot"), performance.now());
    this.#on("msg:custom", (/** @type {KernelMessage | ScriptMessage} */ message) => this.#receive(message));
    this.#on("change:snapshot", () =>
      this.#dispatch({ type: "snapshot", snapshot: model.get("snapshot") }),
    );
    for (const event of CLOSING) this.#on(event, () => this.#lose());
    // JupyterLab's own; where there is no such signal, the events of the model have to do.
    const signal = model.widget_manager?.kernel?.statusChanged;
    const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => {
      if (DEAD.has(status)) this.#lose();
    };
    signal?.connect?.(onStatus);
    this.#undo.push(() => signal?.disconnect?.(onStatus));
  }

  /** @param {string} event @param {(...args: any[]) => void} listener */
  #on(event, listener) {
    this.#model.on(event, listener);
    this.#undo.push(() => this.#model.off(event, listener));
  }

  close() {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** @param {() => void} listener called after each change @returns {() => void} its end */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Action} action */
  send(action) {
    try {
      this.#model.send(action);
    } catch {
      this.#dispatch({ type: "disconnected" }); // the line to the kernel is closed
    }
  }

  /** A press of the one button of a cell. @param {string} key */
  press(key) {
    const cell = this.state.cells.get(key);
    if (!cell || cell.pending_action) return;
    if (performance.now() - (cell.ended_at_ms ?? -Infinity) < SETTLE_MS) return;
    /** @type {CellAction} */
    const press = { action: isEnded(cell) ? "retry" : "stop", cell: key };
    this.#dispatch({ type: "pressed", press });
    this.send(press);
  }

  /** Rate an answer; the same again takes it back. @param {string} cell @param {number} rating */
  rate(cell, rating) {
    const next = this.state.cells.get(cell)?.rating === rating ? null : rating;
    this.#dispatch({ type: "rated", cell, rating: next });
    this.send({ action: "rate", cell, rating: next });
  }

  /** Ask every model again, or only where it failed. From now on, and not from the kernel's reply on, Esc stops them. */
  runAgain(failed = false) {
    this.#dispatch({ type: "run_again", failed });
    this.send({ action: failed ? "retry_failed" : "run_again" });
  }

  /** What a person has chosen in a view of this board before, as `packed` has made it. @returns {unknown} */
  get keptView() {
    return this.#model.get("view");
  }

  /** Keep what a person has chosen, in the widget, once there is a pause. @param {() => unknown} pack */
  keepView(pack) {
    clearTimeout(this.#keeping);
    this.#keeping = setTimeout(() => {
      try {
        this.#model.set?.("view", pack());
        this.#model.save_changes?.();
      } catch {
        // the line to the kernel is closed, and what it would keep goes with it
      }
    }, KEEP_MS);
  }

  /** Ask for the second script, unless it is here or was asked for. */
  needSecond() {
    if (this.later.second || this.#isLoading) return;
    this.#isLoading = this.state.connected;
    if (!this.#isLoading) return this.#setLater({ second: null, said: GONE });
    this.send({ action: "script" });
    setTimeout(() => {
      if (this.#isLoading) this.#setLater({ second: null, said: this.state.connected ? WAITING : GONE });
    }, PATIENCE_MS);
  }

  /** @param {string} text of the second script */
  async #load(text) {
    if (!this.#isLoading) return; // another page has asked for it
    try {
      this.#setLater({ second: await this.#evaluate(text), said: "" });
    } catch (error) {
      this.#setLater({ second: null, said: `This page does not load a second script: ${error}` });
    }
    this.#isLoading = false;
  }

  /** @param {typeof this.later} later */
  #setLater(later) {
    this.later = later;
    for (const listener of this.#listeners) listener();
  }

  /** Ask for the text of a cell; those of one moment are asked for together. @param {string} key */
  requestText(key) {
    if (!this.#wanted.size) setTimeout(() => this.#requestTexts(), REQUEST_MS);
    this.#wanted.add(key);
  }

  #requestTexts() {
    const cells = [...this.#wanted];
    this.#wanted.clear();
    this.send({ action: "texts", cells });
  }

  /** Ask the kernel when it has been silent for long; less and less often. @param {number} now_ms */
  checkSilence(now_ms) {
    if (!this.state.connected || !isActive(this.state)) return;
    if (now_ms - this.#heard_at_ms < this.#sync_timeout_ms) return;
    this.#heard_at_ms = now_ms;
    this.#sync_timeout_ms = Math.min(2 * this.#sync_timeout_ms, MAX_SYNC_TIMEOUT_MS);
    this.send({ action: "sync" });
  }

  /** @param {KernelMessage | ScriptMessage} message */
  #receive(message) {
    if (message?.type === "script") return void this.#load(message.text);
    if (message?.type !== "snapshot" && message?.type !== "update") return; // anywidget's own
    this.#heard_at_ms = performance.now();
    const { cells } = this.state;
    this.#dispatch(message);
    // A snapshot that tells news says that messages were lost: more may be.
    if (message.type === "update" || this.state.cells !== cells) {
      this.#sync_timeout_ms = SYNC_TIMEOUT_MS;
    }
    if (this.state.has_gap) this.send({ action: "sync" });
  }

  #lose() {
    this.#isLoading = false;
    this.#dispatch({ type: "disconnected" });
    this.send({ action: "sync" }); // if somebody answers, it was a false alarm
  }

  /** @param {BoardEvent} event */
  #dispatch(event) {
    const next = reduce(this.state, event, performance.now());
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.#listeners) listener();
  }
}
