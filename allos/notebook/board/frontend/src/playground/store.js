/**
 * One store for each widget model: it hears the kernel, keeps what is typed, and writes it back.
 *
 * @import { Action, KernelMessage } from "./protocol.js"
 * @import { PlaygroundEvent, PlaygroundState } from "./state.js"
 *
 * @typedef {object} Model what of anywidget's model is used
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: (...args: any[]) => void) => void} on
 * @property {(event: string, listener: (...args: any[]) => void) => void} off
 * @property {(message: Action) => void} send
 * @property {any} [widget_manager]
 */

import { initialState, isRunnable, reduce } from "./state.js";

const SAVE_MS = 150;
const SEARCH_MS = 80;
const CLOSING = ["comm_live_update", "comm:close", "destroy"];
const DEAD = new Set(["dead", "autorestarting"]);
const TRAITS = /** @type {const} */ (["draft", "facts", "plan", "runs", "notice", "question"]);

export class Store {
  #model;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #saving;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #searching;
  #own = false;
  #number = 0;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {(() => void)[]} */
  #undo = [];
  /** @type {PlaygroundState} */
  state;

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.state = initialState((name) => model.get(name));
    this.#on("msg:custom", (/** @type {KernelMessage} */ message) => this.#receive(message));
    for (const name of TRAITS) {
      this.#on(`change:${name}`, () => {
        if (!this.#own) this.dispatch({ type: "trait", name, value: model.get(name) });
      });
    }
    for (const event of CLOSING) this.#on(event, () => this.dispatch({ type: "disconnected" }));
    const signal = model.widget_manager?.kernel?.statusChanged;
    const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => {
      if (DEAD.has(status)) this.dispatch({ type: "disconnected" });
    };
    signal?.connect?.(onStatus);
    this.#undo.push(() => signal?.disconnect?.(onStatus));
    const save = () => this.save();
    globalThis.addEventListener?.("pagehide", save);
    this.#undo.push(() => globalThis.removeEventListener?.("pagehide", save));
  }

  /** @param {string} event @param {(...args: any[]) => void} listener */
  #on(event, listener) {
    this.#model.on(event, listener);
    this.#undo.push(() => this.#model.off(event, listener));
  }

  close() {
    this.save();
    clearTimeout(this.#searching);
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** @param {() => void} listener @returns {() => void} its end */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {PlaygroundEvent} event */
  dispatch(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    if (this.state.draft !== before.draft && event.type !== "trait") this.#saving ??= setTimeout(() => this.save(), SAVE_MS);
    for (const listener of this.#listeners) listener();
  }

  /** Write what is typed into the widget's state, now. */
  save() {
    if (this.#saving === undefined) return;
    clearTimeout(this.#saving);
    this.#saving = undefined;
    this.#own = true;
    try {
      this.#model.set("draft", this.state.draft);
      this.#model.save_changes();
    } catch {
      this.dispatch({ type: "disconnected" });
    } finally {
      this.#own = false;
    }
  }

  /** @param {Action} action */
  send(action) {
    try {
      this.#model.send(action);
    } catch {
      this.dispatch({ type: "disconnected" });
    }
  }

  /** Start a comparison of what is typed. */
  run(confirmed = false) {
    if (!isRunnable(this.state)) return;
    this.save();
    this.dispatch({ type: "started" });
    this.send({ action: "run", draft: this.state.draft, confirmed });
  }

  /** Look for models, once a person stops typing. @param {string} query */
  search(query) {
    const number = ++this.#number;
    this.dispatch({ type: "picker", change: { open: true, query, number } });
    clearTimeout(this.#searching);
    this.#searching = setTimeout(() => this.send({ action: "models", query, number }), SEARCH_MS);
  }

  /** Ask a service for its models. @param {string} name `provider/` */
  list(name) {
    this.dispatch({ type: "picker", change: { open: true, query: name, says: `Asking ${name.slice(0, -1)} for its models …` } });
    this.send({ action: "list", provider: name.slice(0, -1) });
  }

  dismiss() {
    this.dispatch({ type: "dismissed" });
    this.send({ action: "dismiss" });
  }

  /** @param {KernelMessage} message */
  #receive(message) {
    if (message?.type !== "models" && message?.type !== "ran" && message?.type !== "listed") return; // anywidget's own
    this.dispatch(message);
    if (message.type === "listed" && this.state.picker.open) this.search(this.state.picker.query);
  }
}
