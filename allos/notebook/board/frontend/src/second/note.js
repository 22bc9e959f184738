/** What is written beside a vote: `#words` are tags, the rest is a note. */

const TAG = /(?<=^|\s)#([\p{L}\p{N}_-]+)/gu;

/** @param {string} text */
export function noteAndTags(text) {
  const tags = [...text.matchAll(TAG)].map(([, word = ""]) => word);
  return { note: text.replace(TAG, "").replace(/\s+/g, " ").trim(), tags };
}
