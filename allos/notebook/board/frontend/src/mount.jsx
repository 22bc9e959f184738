/**
 * One view of a board in the page: it draws when the kernel or a person has changed something, and while
 * a call is under way so often that its clock runs.
 *
 * @import { Store } from "./store.js"
 */

import { createRef, render } from "preact";

import { Announcer } from "./announcer.js";
import { Clamps } from "./layout.js";
import { isActive } from "./state.js";
import { INITIAL_VIEW, showSample, toggleExpanded } from "./view_state.js";
import { Board } from "./views/board.jsx";
import { BoardContext } from "./views/context.js";

const TICK_MS = 250;

/**
 * @param {Store} store
 * @param {HTMLElement} el
 * @returns {() => void} takes it out of the page
 */
export function mount(store, el) {
  let view = INITIAL_VIEW;
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
    draw();
  }

  const actions = {
    send: store.send.bind(store),
    press: store.press.bind(store),
    runAgain: () => store.runAgain(),
    toggleExpanded: (/** @type {string} */ key) => setView(toggleExpanded(view, key)),
    showSample: (/** @type {string} */ column, /** @type {number} */ sample) =>
      setView(showSample(view, column, sample)),
    clamps,
  };

  function draw() {
    render(
      <BoardContext.Provider value={actions}>
        <Board
          state={store.state}
          view={view}
          width_px={width_px}
          now_ms={performance.now()}
          isHidden={shouldHide()}
          spoken={spoken}
        />
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

  /** Without the kernel a finished board gives way to its table; a cut one keeps what it has. */
  function shouldHide() {
    const { connected, table_class } = store.state;
    if (connected || isActive(store.state)) return false;
    return Boolean(el.closest(".jp-OutputArea")?.querySelector(`.${table_class}`));
  }

  draw();
  const root = /** @type {HTMLElement} */ (el.firstElementChild);
  const sizes = new ResizeObserver(() => {
    if (root.clientWidth !== width_px) {
      width_px = root.clientWidth;
      draw();
    }
    clamps.fitAll();
  });
  sizes.observe(root);
  const unsubscribe = store.subscribe(draw);
  return () => {
    unsubscribe();
    sizes.disconnect();
    stopClock();
    announcer.stop();
    render(null, el);
  };
}
