/**
 * What the first script hands to the second one, by the names that the second imports them by: the two
 * have one Preact and one copy of every module. The build fails when this list and the imports differ.
 */

import * as preact from "preact";
import * as hooks from "preact/hooks";

import * as answer_text from "./answer_text.js";
import * as clamped from "./views/clamped.jsx";
import * as context from "./views/context.js";

/** @type {Record<string, unknown>} */
export const SHARED = {
  "preact": preact,
  "preact/hooks": hooks,
  "answer_text.js": answer_text,
  "views/clamped.jsx": clamped,
  "views/context.js": context,
};
