/** Answers without their formatting: how long one is, and how it is set, sways who votes. */

import { markup } from "../answer_text.js";
import { textOf } from "../diff/text_of.js";

/** Texts of several answers, each cut to the length of the shortest. @param {readonly string[]} htmls */
export const levelled = (htmls) => cutAlike(htmls.map((html) => textOf(markup(html)).text));

/** @param {readonly string[]} texts @returns {string[]} */
export function cutAlike(texts) {
  const trimmed = texts.map((text) => text.replace(/\n{2,}/g, "\n").trim());
  const most = Math.min(...trimmed.map(({ length }) => length));
  return trimmed.map((text) => {
    if (text.length <= most) return text;
    const cut = text.slice(0, most);
    const blank = cut.search(/\s\S*$/);
    return `${blank > most / 2 ? cut.slice(0, blank) : cut} …`;
  });
}
