/**
 * The script of an exported comparison: the board's views over data that the page holds.
 *
 * @import { Snapshot } from "../protocol.js"
 */

import "../board.css";
import "../vote.css";
import "./page.css";

import { mount } from "../mount.jsx";
import second from "../second/main.js";
import { Store } from "../store.js";
import { PageModel } from "./model.js";

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {{snapshot: Snapshot}} */
const data = JSON.parse(element("allos-data").textContent ?? "");
element("allos-table").hidden = true;
const store = new Store(new PageModel(data), () => Promise.resolve(second));
store.later = { second, said: "" };
mount(store, element("allos-page"));
