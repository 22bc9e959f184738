/**
 * Loads the second script, which has what no board needs at its first paint. anywidget loads one script, from
 * a blob where no relative import resolves; so the text of the second comes as a message.
 *
 * @typedef {typeof import("./second/main.js").default} Second
 */

import { SHARED } from "./shared.js";

/** @param {string} text @returns {Promise<Second>} */
export async function evaluate(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    const { default: make } = await import(url);
    return make((/** @type {string} */ name) => SHARED[name]).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
