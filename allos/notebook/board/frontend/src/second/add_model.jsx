/** The field for one more model. */

import { useLayoutEffect, useRef } from "preact/hooks";

import { useBoard } from "../views/context.js";

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
        change((view) => ({ ...view, panel: null }));
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
