/** What opens below the toolbar: the field for one more model, and the list of keys. */

import { useLayoutEffect, useRef } from "preact/hooks";

import { HELP } from "../keys.js";
import { useBoard } from "./context.js";

export function AddModel() {
  const { send, change } = useBoard();
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <form
      class="extra"
      onSubmit={(event) => {
        event.preventDefault();
        const model = field.current?.value.trim();
        if (model) send({ action: "add", model });
        change((view) => ({ ...view, isAdding: false }));
      }}
    >
      <label>
        {"One more model "}
        <input ref={field} type="text" placeholder="provider/model" spellcheck={false} autocomplete="off" />
      </label>
      <button type="submit" class="btn">Ask it</button>
    </form>
  );
}

export function Help() {
  return (
    <dl class="extra help">
      {HELP.map(([keys, does]) => (
        <div>
          <dt>{keys.split(" ").map((key) => (/^(or|…)$/.test(key) ? ` ${key} ` : <kbd>{key}</kbd>))}</dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  );
}
