/**
 * The script of an exported comparison: the board's views over data that the page holds.
 *
 * @import { PageData } from "./model.js"
 */

import "../board.css";
import "../vote.css";
import "./page.css";

import { render } from "preact";

import { mount } from "../mount.jsx";
import second from "../second/main.js";
import { Store } from "../store.js";
import { PageModel } from "./model.js";
import { Votes } from "./votes.jsx";

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @returns {PageData} */
function read() {
  const data = JSON.parse(element("allos-data").textContent ?? "");
  if (!data.sealed) return data;
  // So that nobody reads whose answers they are by looking at the file.
  const bytes = Uint8Array.from(atob(data.sealed), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

const model = new PageModel(read());
const store = new Store(model, () => Promise.resolve(second));
store.later = { second, said: "" };
store.rate = () => {}; // there is no log that a rating could go to
const page = element("allos-page");
element("allos-table").hidden = true;
const { study } = model;
if (study) {
  const votes = document.createElement("div");
  page.before(votes);
  const draw = () => render(<Votes model={model} study={study} />, votes);
  draw();
  store.subscribe(draw);
} else {
  page.className = "no-votes";
}
mount(store, page);
/** @type {HTMLElement | null} */ (page.querySelector(".allos-board"))?.focus({ preventScroll: true });
