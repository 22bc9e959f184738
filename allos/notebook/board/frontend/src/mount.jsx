/**
 * One view of a board in the page: it draws when the kernel or a person has changed something, and while
 * a call is under way so often that its clock runs.
 *
 * @import { Store } from "./store.js"
 */

import { createRef, render } from "preact";

import { Announcer } from "./announcer.js";
import { obey } from "./commands.js";
import { commandOf } from "./keys.js";
import { Clamps } from "./layout.js";
import { linked } from "./links.js";
import { isActive } from "./state.js";
import { remoteQuery } from "./select.js";
import { packed, restored } from "./saved_view.js";
import { focusOn, initialView } from "./view_state.js";
import { Board } from "./views/board.jsx";
import { BoardContext, LaterContext } from "./views/context.js";

const TICK_MS = 250;
const SEARCH_MS = 200;

/** Whether keys are text there. @param {HTMLElement} target */
const isField = (target) =>
  (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement);

/**
 * @param {Store} store
 * @param {HTMLElement} el
 * @returns {() => void} takes it out of the page
 */
export function mount(store, el) {
  let view = restored(initialView(store.state), store.keptView);
  let width_px = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const clamps = new Clamps();
  /** @type {import("preact").RefObject<HTMLDivElement | null>} */
  const spoken = createRef();
  const announcer = new Announcer((words) => {
    if (spoken.current) spoken.current.textContent = words;
  });

  /** @param {typeof view} next */
  function setView(next) {
    view = next;
    store.keepView(() => packed(view));
    draw();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let searching;

  /** Look for something; where not all texts are here, the kernel looks, once a person stops typing. @param {string} query */
  function search(query) {
    setView({ ...view, query });
    clearTimeout(searching);
    const words = remoteQuery(store.state, query);
    if (words) searching = setTimeout(() => store.send({ action: "search", query: words }), SEARCH_MS);
  }

  const needSecond = () => store.needSecond();

  /** @type {import("./views/context.js").BoardActions} */
  const actions = {
    send: (action) => store.send(action),
    isEditable: store.isEditable,
    press: (key) => store.press(key),
    runAgain: (failed) => store.runAgain(failed),
    requestText: (key) => store.requestText(key),
    change: (change) => setView(change(view)),
    search,
    rate: (cell, rating) => store.rate(cell, rating),
    taken: { onKey: null },
    needSecond,
    clamps,
  };

  function draw() {
    render(
      <BoardContext.Provider value={actions}>
        <LaterContext.Provider value={store.later}>
          <Board
            state={store.state}
            view={view}
            width_px={width_px}
            now_ms={performance.now()}
            isHidden={shouldHide()}
          isAlone={isAlone()}
            spoken={spoken}
          />
        </LaterContext.Provider>
      </BoardContext.Provider>,
      el,
    );
    clamps.fit();
    announcer.announce(store.state);
    if (!isActive(store.state) || !store.state.connected) stopClock();
    else timer ??= setInterval(tick, TICK_MS);
  }

  function tick() {
    draw();
    store.checkSilence(performance.now());
  }

  function stopClock() {
    clearInterval(timer);
    timer = undefined;
  }

  /** Whether its output has no other board, whose table it would hide with its own. */
  function isAlone() {
    return (el.closest(".jp-OutputArea")?.querySelectorAll(".allos-board").length ?? 0) < 2;
  }

  /** Without the kernel a finished board gives way to its table; a cut one keeps what it has. */
  function shouldHide() {
    const { connected, table_class } = store.state;
    if (connected || isActive(store.state)) return false;
    return Boolean(el.closest(".jp-OutputArea")?.querySelector(`.${table_class}`));
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {HTMLElement | null} */ (event.composedPath()[0] ?? null);
    if (event.defaultPrevented || !target || !el.contains(target)) return;
    const isTyping = isField(target);
    const isPlain = !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
    // A letter for what the second script has yet to bring is no command, and none of the notebook's either.
    const isEarly = (store.state.vote || view.panel) && !store.later.second && event.key.length === 1;
    if (isPlain && (actions.taken.onKey?.(event.key) || isEarly)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const command = commandOf(event, isTyping);
    const outcome = command && obey(command, store.state, view);
    if (!outcome?.isTaken) return;
    event.preventDefault();
    event.stopPropagation();
    setView(outcome.view);
    follow(outcome.also);
  }

  /** @param {import("./commands.js").Outcome["also"]} also */
  function follow(also) {
    if (also === "vote") store.send({ action: "vote_start" });
    if (also === "run") store.runAgain();
    if (also === "stop") store.send({ action: "stop_all" });
    if (also === "search") /** @type {HTMLInputElement | null} */ (el.querySelector(".search input"))?.focus();
    if (also === "leave") root.focus();
    if (also?.startsWith("column ")) {
      const key = also.slice("column ".length);
      const section = [...el.querySelectorAll("[data-column]")].find(
        (each) => each instanceof HTMLElement && each.dataset["column"] === key,
      );
      if (section instanceof HTMLElement) section.focus();
    }
  }

  /** Show the answer that a link names, if it is one of this board. @param {string} link */
  function open(link) {
    const place = linked(store.state, link);
    if (!place || shouldHide()) return false;
    setView(focusOn(view, place.column, place.row));
    el.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** @param {MouseEvent} event */
  function onClick(event) {
    const target = event.composedPath()[0];
    const link = target instanceof Element && target.closest("a[href^='#']")?.getAttribute("href");
    // In front of the notebook, which would scroll to the static table, and finds it hidden.
    if (link && open(link)) event.stopPropagation();
  }

  const onHash = () => open(location.hash);

  draw();
  if (remoteQuery(store.state, view.query)) search(view.query);
  // Whoever turns to a board may press a button next.
  (globalThis.requestIdleCallback ?? setTimeout)(needSecond);
  const listening = new AbortController();
  // In front of the notebook, which has keys of its own.
  const inFront = { capture: true, signal: listening.signal };
  addEventListener("keydown", onKey, inFront);
  addEventListener("click", onClick, inFront);
  addEventListener("hashchange", onHash, listening);
  const root = /** @type {HTMLElement} */ (el.firstElementChild);
  const sizes = new ResizeObserver(() => {
    if (root.clientWidth !== width_px) {
      width_px = root.clientWidth;
      draw();
    }
    clamps.fitAll();
  });
  sizes.observe(root);
  onHash();
  const unsubscribe = store.subscribe(draw);
  return () => {
    listening.abort();
    unsubscribe();
    sizes.disconnect();
    stopClock();
    clearTimeout(searching);
    announcer.stop();
    render(null, el);
  };
}
