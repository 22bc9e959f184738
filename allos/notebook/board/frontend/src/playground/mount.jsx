/**
 * One view of a playground in the page.
 *
 * @import { Store } from "./store.js"
 */

import { render } from "preact";

import { Playground } from "./playground.jsx";

let views = 0;

/**
 * @param {Store} store
 * @param {HTMLElement} el
 * @returns {() => void} takes it out of the page
 */
export function mount(store, el) {
  // anywidget loads a module for each widget, so that a count alone would begin anew in each.
  const prefix = `${store.state.facts.own_class}-${++views}`;
  const draw = () => render(<Playground store={store} state={store.state} prefix={prefix} />, el);

  /** In front of the notebook, where Ctrl+Enter runs the cell. @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {HTMLElement | null} */ (event.composedPath()[0] ?? null);
    if (event.defaultPrevented || !target || !el.contains(target)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey) store.run();
    else if (event.key === "Escape" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (!escape(store)) return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw();
  window.addEventListener("keydown", onKey, true);
  const onLeave = () => store.save();
  el.addEventListener("focusout", onLeave);
  const unsubscribe = store.subscribe(draw);
  return () => {
    window.removeEventListener("keydown", onKey, true);
    el.removeEventListener("focusout", onLeave);
    unsubscribe();
    render(null, el);
  };
}

/** Close what is open, else stop what runs. @param {Store} store */
function escape(store) {
  const { picker, panel, question, notice, runs } = store.state;
  if (picker.open) store.dispatch({ type: "picker", change: { open: false, says: "" } });
  else if (question || notice) store.dismiss();
  else if (panel) store.dispatch({ type: "panel", panel });
  else if (runs.some(({ done }) => !done)) store.send({ action: "stop" });
  else return false;
  return true;
}
