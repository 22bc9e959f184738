/**
 * What stands in for a widget's model where no kernel is: everything is in the page already, and what a
 * person has chosen is kept for as long as the browser's tab is open.
 *
 * @import { Snapshot } from "../protocol.js"
 * @import { Model } from "../store.js"
 */

/** @implements {Model} */
export class PageModel {
  /** @type {Map<string, unknown>} */
  #values;

  /** @param {{snapshot: Snapshot}} data */
  constructor(data) {
    this.#values = new Map(Object.entries(data));
  }

  /** @param {string} name @returns {any} */
  get(name) {
    return this.#values.get(name);
  }

  on() {}

  off() {}

  /** Nothing is asked for that is not here. */
  send() {}
}
