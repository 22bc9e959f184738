/**
 * How votes leave the page: as a file, or as a text to copy where no file can be saved.
 *
 * @import { PageModel } from "./model.js"
 * @import { Study } from "./study.js"
 */

import { useRef, useState } from "preact/hooks";

import { toClipboard } from "../copy.js";

/** @param {{model: PageModel, study: Study}} props */
export function Votes({ model, study }) {
  const [rater, setRater] = useState(study.kept.rater);
  const [text, setText] = useState("");
  const [said, say] = useState("");
  const name = useRef(/** @type {HTMLInputElement | null} */ (null));
  const count = study.standing.length;
  const isDone = count === study.count;
  const write = (/** @type {string} */ next) => {
    setRater(next);
    study.kept = { ...study.kept, rater: next };
    model.keep();
  };
  /** The signed votes, if they have a name. */
  const signed = () => {
    if (rater.trim()) return study.file(rater.trim());
    say("Type your name first.");
    name.current?.focus();
    return "";
  };
  const save = () => {
    const file = signed();
    if (!file) return;
    download(file, `votes-${rater.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")}.json`);
    setText(file);
    say("Send the file back to who sent you this page. If none was saved, send this text:");
  };
  const copy = async () => {
    const file = signed();
    if (!file) return;
    setText(file);
    say((await toClipboard(file)) ? "Copied. Send it back to who sent you this page." : "Select this text, and send it back:");
  };
  return (
    <section class="allos-board votes-file" aria-label="Your votes">
      <div class="bar">
        <label>
          {"Your name "}
          <input ref={name} type="text" maxLength={200} autocomplete="off" value={rater} onInput={({ currentTarget }) => write(currentTarget.value)} />
        </label>
        <span class="hint" role="status">
          {isDone ? `All ${count} pairs have your vote.` : `${count} of ${study.count} pairs have your vote.`}
          {!model.canKeep && " This browser does not keep them: save before you close the page."}
        </span>
        <span class="right">
          <button class={isDone ? "btn main" : "btn"} disabled={!count} onClick={save}>Save my votes</button>
          <button class="btn" disabled={!count} onClick={copy}>Copy them</button>
        </span>
      </div>
      {said && (
        <div class="extra">
          <span role="status">{said}</span>
          {text && <textarea readOnly rows={3} aria-label="Your votes as text" onFocus={({ currentTarget }) => currentTarget.select()} value={text} />}
        </div>
      )}
    </section>
  );
}

/** @param {string} text @param {string} name */
function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
