/**
 * What stands in for a widget's model where no kernel is: everything is in the page already. It answers what a
 * kernel would, and keeps what a person has chosen in the browser, as far as that allows it.
 *
 * @import { Action, KernelMessage, Snapshot } from "../protocol.js"
 * @import { Model } from "../store.js"
 * @import { StudyData } from "./study.js"
 *
 * @typedef {{snapshot: Snapshot, study?: StudyData}} PageData
 */

import { Study } from "./study.js";

/** @implements {Model} */
export class PageModel {
  #snapshot;
  /** @type {unknown} */
  #view;
  #isBlind;
  /** @type {Set<(message: KernelMessage) => void>} */
  #listeners = new Set();
  #page;
  /** @type {Study | null} */
  study;
  /** Whether votes are there again when the page is opened anew. */
  canKeep = true;

  /** @param {PageData} data */
  constructor({ snapshot, study }) {
    this.#snapshot = snapshot;
    this.#page = study?.page ?? globalThis.location?.pathname;
    this.#view = recall("sessionStorage", `allos view ${this.#page}`);
    this.study = study ? new Study(study, recall("localStorage", `allos votes ${this.#page}`)) : null;
    this.#isBlind = this.study?.state() != null;
    this.keep();
  }

  /** @param {string} name @returns {any} */
  get(name) {
    return name === "view" ? this.#view : this.#shown();
  }

  /** @param {string} _ @param {unknown} view */
  set(_, view) {
    this.#view = view;
  }

  save_changes() {
    store("sessionStorage", `allos view ${this.#page}`, this.#view);
  }

  /** @param {string} event @param {(message: any) => void} listener */
  on(event, listener) {
    if (event === "msg:custom") this.#listeners.add(listener);
  }

  /** @param {string} _ @param {(message: any) => void} listener */
  off(_, listener) {
    this.#listeners.delete(listener);
  }

  /** @param {Action} action */
  send(action) {
    const { study } = this;
    if (!study) return;
    const wasBlind = this.#isBlind;
    if (action.action === "vote") study.cast(action, newId(), Date.now());
    else if (action.action === "vote_undo") study.undo(newId(), Date.now());
    else if (action.action !== "vote_start" && action.action !== "vote_stop") return;
    const vote = study.state();
    this.#isBlind = vote !== null && action.action !== "vote_stop";
    this.keep();
    const message = /** @type {KernelMessage} */ (
      wasBlind && this.#isBlind ? { type: "update", vote } : { type: "snapshot", snapshot: this.#shown() }
    );
    // As from a kernel: once what was pressed has been dealt with.
    queueMicrotask(() => this.#listeners.forEach((listener) => listener(message)));
  }

  /** Keep the votes in this browser. */
  keep() {
    if (this.study) this.canKeep = store("localStorage", `allos votes ${this.#page}`, this.study.kept);
  }

  /** @returns {Snapshot} */
  #shown() {
    const vote = this.#isBlind ? (this.study?.state() ?? null) : null;
    if (!vote) return { ...this.#snapshot, vote: null };
    return { ...this.#snapshot, vote, ranking: null, chips: [], columns: [], cells: [], summary: [], logged_as: "" };
  }
}

/** An id that no other vote has. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(13));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {"localStorage" | "sessionStorage"} where @param {string} name @returns {unknown} */
function recall(where, name) {
  try {
    return JSON.parse(globalThis[where].getItem(name) ?? "null");
  } catch {
    return null; // a page in a sandbox has no store
  }
}

/** @param {"localStorage" | "sessionStorage"} where @param {string} name @param {unknown} value */
function store(where, name, value) {
  try {
    globalThis[where].setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
