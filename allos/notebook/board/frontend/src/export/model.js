/**
 * What stands in for a widget's model where no kernel is: everything is in the page already, and what a
 * person has chosen is kept for as long as the browser's tab is open.
 *
 * @import { Snapshot } from "../protocol.js"
 * @import { Model } from "../store.js"
 */

const KEY = `allos ${globalThis.location?.pathname}`;

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** @implements {Model} */
export class PageModel {
  /** @type {Map<string, unknown>} */
  #values;

  /** @param {{snapshot: Snapshot}} data */
  constructor(data) {
    this.#values = new Map(Object.entries({ ...data, view: recall() }));
  }

  /** @param {string} name @returns {any} */
  get(name) {
    return this.#values.get(name);
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    this.#values.set(name, value);
  }

  save_changes() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#values.get("view")));
    } catch {
      // a page in a sandbox has no store
    }
  }

  on() {}

  off() {}

  /** Nothing is asked for that is not here. */
  send() {}
}
