// @ts-check
/**
 * The live comparison board. One store per widget model follows the kernel's messages; each view
 * draws from it. No build step, nothing from outside.
 *
 * A model's words enter the page as text nodes only. The one exception is `drawAnswer`, which shows
 * the HTML that allos itself made and sanitised.
 *
 * @typedef {{next: number, of: number, in_s: number, title: string, message: string, due?: number}} Attempt
 * @typedef {{
 *   i: number, column: number, sample: number, run: number, state: State, text: string,
 *   html: string | null, facts: string[], speed: string, thinking: number,
 *   attempt: Attempt | null, age_s: number | null, first_s: number | null,
 *   latency_s: number | null, zero?: number, wish?: string,
 * }} Cell `zero`: this page's clock, in ms, when the attempt was sent; `wish`: what a button asked
 * @typedef {"queued" | "running" | "waiting" | "ok" | "error" | "cancelled"} State
 * @typedef {{key: string, provider: string, model: string, params: string, slot: number, same: string}} Column
 * @typedef {{
 *   root: string, system: string, prompt: string, chips: string[], columns: Column[],
 *   cells: Cell[], summary: [string, string, string][], logged: string, notice: string,
 * }} Snapshot
 * @typedef {Partial<Cell> & {i: number, at?: number}} Change
 * @typedef {{cells?: Change[], snapshot?: Snapshot} & Partial<Omit<Snapshot, "cells">>} News
 * @typedef {{
 *   now: Snapshot, live: boolean, views: Set<View>, send: (wish: object) => void,
 *   heard: number, patience: number,
 * }} Store `heard`: this page's clock, in ms, at the last news; `patience`: ms without any before asking
 * @typedef {{build: () => void, draw: (changed: Set<number>) => void}} View
 */

const LINES = 14;
const PROMPT_LINES = 3;
const NARROWEST_PX = 276;
/** Below this width a column's button stands under its state. */
const NARROW_PX = 345;
const TICK_MS = 250;
/** A running column beats so often: drawn twice a second, where an animation is drawn at every frame. */
const BEAT_MS = 500;
const SPEAK_MS = 2000;
/** A notebook server drops messages when there are too many at once, the last ones of a run too. */
const PATIENCE_MS = 5000;
const MOST_PATIENCE_MS = 60000;
/** Longest run of text in one block: appending costs the layout of the whole block. */
const BLOCK_CHARS = 500;
/** A press meant for Stop must not become a Retry, which costs money. */
const SETTLE_MS = 700;

/** Events of a model whose kernel is gone. */
const CLOSING = ["comm_live_update", "comm:close", "destroy"];

const ENDED = new Set(["ok", "error", "cancelled"]);

/** @param {Cell} cell */
const ended = (cell) => ENDED.has(cell.state);

/**
 * An element with classes and children; strings become text.
 * @param {string} tag
 * @param {string} names
 * @param {...(Node | string)} children
 */
function h(tag, names, ...children) {
  const element = document.createElement(tag);
  if (names) element.className = names;
  element.append(...children);
  return element;
}

/** @param {number} s */
function seconds(s) {
  if (s < 0.0995) return `${Math.round(Math.max(s, 0) * 1000)} ms`;
  if (s < 0.995) return `${s.toFixed(2)} s`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// ---- the store: what the kernel has said ---------------------------------------------------------

/** @returns {Store} */
function makeStore(/** @type {any} */ model) {
  /** @type {Store} */
  const store = {
    now: dated(model.get("snapshot")),
    live: true,
    views: new Set(),
    heard: performance.now(),
    patience: PATIENCE_MS,
    send(wish) {
      try {
        model.send(wish);
      } catch {
        store.live = false; // the line to the kernel is closed
      }
    },
  };
  model.on("msg:custom", (/** @type {News} */ news) => {
    const back = !store.live;
    store.live = true;
    store.heard = performance.now();
    if (news.snapshot) return renew(store, news.snapshot, back);
    store.patience = PATIENCE_MS;
    if (!take(store, news)) store.send({ do: "sync" });
  });
  model.on("change:snapshot", () => renew(store, model.get("snapshot")));
  return store;
}

/** A copy whose times are on this page's clock. @param {Snapshot} snapshot @returns {Snapshot} */
function dated(snapshot) {
  const copy = structuredClone(snapshot);
  for (const cell of copy.cells) date(cell);
  return copy;
}

/** @param {Partial<Cell>} cell */
function date(cell) {
  const now = performance.now();
  if (cell.age_s != null) cell.zero = now - cell.age_s * 1000;
  if (cell.attempt) cell.attempt.due = now + cell.attempt.in_s * 1000;
}

/** What a view shows of a snapshot, its clocks aside. @param {Snapshot} s */
function gist(s) {
  const cells = s.cells.map((c) => [c.run, c.state, c.html ?? c.text.length, c.html && c.facts]);
  return JSON.stringify([s.columns, s.chips, s.summary, s.notice, cells]);
}

/**
 * Draw anew, unless nothing is new: that would only take away a selection or the focus.
 * @param {Store} store @param {Snapshot} snapshot @param {boolean} [always]
 */
function renew(store, snapshot, always = false) {
  if (!always && gist(snapshot) === gist(store.now)) return;
  store.now = dated(snapshot);
  for (const view of store.views) view.build();
}

/**
 * Take news in and let the views draw. False: some text in between is missing.
 * @param {Store} store @param {News} news
 */
function take(store, news) {
  const { cells: changes = [], ...rest } = news;
  const now = store.now;
  const grown = rest.columns && rest.columns.length !== now.columns.length;
  Object.assign(now, rest);
  let whole = true;
  /** @type {Set<number>} */
  const changed = new Set();
  for (const change of changes) {
    date(change);
    const { at = 0, text, ...state } = change;
    const cell = (now.cells[change.i] ??= /** @type {Cell} */ ({ text: "", run: -1 }));
    if (change.run !== undefined && change.run !== cell.run) cell.text = "";
    if (state.state || state.html) cell.wish = undefined;
    Object.assign(cell, state);
    if (text !== undefined) {
      if (at > cell.text.length) whole = false;
      else cell.text += text.slice(cell.text.length - at);
    }
    changed.add(change.i);
  }
  for (const view of store.views) grown ? view.build() : view.draw(changed);
  return whole;
}

// ---- a view ---------------------------------------------------------------------------------------

/**
 * @param {Store} store
 * @param {any} model
 * @param {HTMLElement} el
 */
function show(store, model, el) {
  const root = h("div", "allos-board mathjax_ignore tex2jax_ignore");
  root.setAttribute("role", "region");
  root.tabIndex = -1; // a click anywhere gives it the focus, so that Esc works
  const head = h("div", "head");
  const notice = h("div", "notice");
  notice.setAttribute("role", "alert");
  const columns = h("div", "cols");
  const sum = h("div", "sum");
  const speech = h("div", "unseen");
  speech.setAttribute("role", "status");
  speech.setAttribute("aria-live", "polite");
  const hiding = document.createElement("style");
  root.append(head, notice, columns, sum, speech, hiding);

  const stopAll = button("btn stop-all", "Stop all ", () => store.send({ do: "stop_all" }));
  stopAll.append(h("kbd", "", "Esc"));
  stopAll.setAttribute("aria-label", "Stop all models");
  const again = button("btn main", "Run again", () => store.send({ do: "again" }));
  again.title = "Ask every model again; the rows of these answers stay in the log";

  /** @type {ReturnType<typeof makeColumn>[]} */
  let drawn = [];
  /** @type {ReturnType<typeof makeClamp>[]} */
  let asked = [];
  const speaker = makeSpeaker(speech);

  const cellsOf = (/** @type {number} */ k) => store.now.cells.filter((c) => c.column === k);

  function build() {
    const now = store.now;
    const count = now.columns.length;
    root.setAttribute("aria-label", `Comparison of ${count} ${count === 1 ? "model" : "models"}`);
    root.hidden = yields();
    root.classList.toggle(`live-${now.root}`, !root.hidden);
    // While this board is in the page, the static table of the same comparison is not shown.
    hiding.textContent = root.hidden
      ? ""
      : `.jp-OutputArea:has(.live-${now.root})>.jp-OutputArea-child:has(.${now.root}){display:none}`;
    buildHead(now);
    const samples = drawn.map((column) => column.sample());
    drawn = now.columns.map((_, k) => makeColumn(store, k, cellsOf, redraw, samples[k] ?? 0));
    columns.replaceChildren(...drawn.map((column) => column.section));
    fit();
    draw(new Set(now.cells.map((cell) => cell.i)));
  }

  /** @param {Snapshot} now */
  function buildHead(now) {
    const texts = h("div", "asks");
    asked = [];
    for (const [who, text] of [["system", now.system], ["prompt", now.prompt]]) {
      if (!text) continue;
      const words = h("div", "words", text);
      const clamp = makeClamp(words, PROMPT_LINES, `all of the ${who}`);
      asked.push(clamp);
      texts.append(h("div", "ask", h("span", "who", who), h("div", "", words, clamp.button)));
    }
    const chips = h("div", "chips", ...now.chips.map((chip) => h("span", "chip", chip)));
    head.replaceChildren(texts, h("div", "tools", chips, stopAll, again));
  }

  const redraw = () => draw(new Set());

  /** @param {Set<number>} changed */
  function draw(changed) {
    const now = store.now;
    const open = now.cells.filter((cell) => !ended(cell));
    const touched = drawn.filter((column) => column.write(changed));
    notice.textContent = now.notice;
    notice.hidden = !now.notice;
    stopAll.disabled = !open.length || !store.live;
    again.disabled = open.length > 0 || !store.live;
    root.classList.toggle("done", !open.length);
    const facts = now.summary.map(([before, value, after]) =>
      h("span", "", before && `${before} `, h("b", "", value), after && ` ${after}`),
    );
    const logged = now.logged ? ["logged as ", h("b", "id", now.logged)] : ["not logged"];
    sum.replaceChildren(...facts, h("span", "logged", ...logged));
    speaker.tell(now);
    tick();
    measure(touched.map((column) => column.clamp));
    if (open.length && store.live) timer ??= setInterval(tick, TICK_MS);
    else stopTimer();
  }

  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  function stopTimer() {
    clearInterval(timer);
    timer = undefined;
  }

  /** Clocks, countdowns and bars: all that moves without news from the kernel. */
  function tick() {
    const at = performance.now();
    const longest = Math.max(0.001, ...store.now.cells.map((cell) => spent(cell, at)));
    for (const column of drawn) column.tick(at, longest);
    root.classList.toggle("beat", Math.floor(at / BEAT_MS) % 2 === 1);
    if (at - store.heard < store.patience) return;
    store.heard = at;
    store.patience = Math.min(2 * store.patience, MOST_PATIENCE_MS);
    store.send({ do: "sync" });
  }

  /** Equal rows: eight columns in a width of six stand four and four. */
  function fit() {
    const count = Math.max(1, drawn.length);
    const most = Math.max(1, Math.floor(root.clientWidth / NARROWEST_PX) || 1);
    const rows = Math.ceil(count / most);
    const across = Math.ceil(count / rows);
    columns.style.setProperty("--across", String(across));
    columns.classList.toggle("narrow", root.clientWidth / across < NARROW_PX);
  }

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || stopAll.disabled) return;
    event.preventDefault();
    event.stopPropagation();
    store.send({ do: "stop_all" });
  });
  const sizes = new ResizeObserver(() => {
    fit();
    measure([...asked, ...drawn.map((column) => column.clamp)]);
  });
  sizes.observe(root);

  /** Without the kernel a finished board gives way to its table; a cut one keeps what it has. */
  function yields() {
    if (store.live || !store.now.cells.every(ended)) return false;
    return Boolean(el.closest(".jp-OutputArea")?.querySelector(`.${store.now.root}`));
  }

  function lost() {
    store.live = false;
    view.build();
    store.send({ do: "sync" }); // if somebody answers, it was a false alarm
  }
  const status = (/** @type {unknown} */ _, /** @type {string} */ now) => {
    if (now === "dead" || now === "autorestarting") lost();
  };
  // JupyterLab's own; where there is no such signal, the events of the model have to do.
  const signal = model.widget_manager?.kernel?.statusChanged;
  signal?.connect?.(status);
  for (const name of CLOSING) model.on(name, lost);

  /** @type {View} */
  const view = { build, draw };
  build();
  el.append(root);
  store.views.add(view);
  return () => {
    store.views.delete(view);
    sizes.disconnect();
    stopTimer();
    speaker.stop();
    signal?.disconnect?.(status);
    for (const name of CLOSING) model.off(name, lost);
    root.remove();
  };
}

/** Seconds that a cell's attempt has taken, so far or in all. @param {Cell} cell @param {number} at */
function spent(cell, at) {
  if (ended(cell)) return cell.latency_s ?? 0;
  return cell.zero === undefined || cell.age_s == null ? 0 : Math.max(0, (at - cell.zero) / 1000);
}

/**
 * @param {string} names @param {string} label @param {() => void} press
 * @returns {HTMLButtonElement}
 */
function button(names, label, press) {
  const made = /** @type {HTMLButtonElement} */ (h("button", names, label));
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

// ---- one column -----------------------------------------------------------------------------------

/**
 * @param {Store} store
 * @param {number} k
 * @param {(k: number) => Cell[]} cellsOf
 * @param {() => void} redraw
 * @param {number} sample which repeat is shown
 */
function makeColumn(store, k, cellsOf, redraw, sample) {
  const column = () => store.now.columns[k];
  const { key, model, provider, params } = column();
  const name = `${key}, ${model}${params ? `, ${params}` : ""}`;
  const section = h("section", `col c${column().slot}`);
  section.setAttribute("aria-label", `${name}, ${provider}`);

  // What tells models apart stands last in a long name.
  const cut = model.lastIndexOf("/") + 1;
  const title = h("b", "", model.slice(cut));
  title.title = `${provider}/${model}`;
  const home = cut ? `${provider}/${model.slice(0, cut - 1)}` : provider;
  // A long path breaks behind a slash, not inside a word.
  const path = home.split(/(?<=\/)/).flatMap((part) => [part, h("wbr", "")]);
  const under = h("small", "", ...path, ...(params ? [h("span", "param", params)] : []));
  const word = h("span", "word");
  const act = button("btn act", "Stop", () => press());
  const state = h("span", "state", h("span", "says", h("i", "dot"), word), act);
  const text = h("div", "text");
  const clamp = makeClamp(text, LINES, `the whole answer of ${name}`, () => following);
  const pager = h("span", "pager");
  const place = h("span", "");
  const back = button("turn", "‹", () => turn(-1));
  const next = button("turn", "›", () => turn(1));
  back.setAttribute("aria-label", `Previous repeat of ${name}`);
  next.setAttribute("aria-label", `Next repeat of ${name}`);
  pager.append(back, place, next);
  const same = h("span", "");
  const repeats = h("div", "rep", same, pager);
  const bar = h("div", "time", h("i", ""), h("i", ""));
  bar.setAttribute("role", "img");
  const nums = h("div", "nums");
  const foot = h("div", "foot", bar, nums);
  section.append(
    h("div", "top", h("span", "key", key), h("span", "name", title, under), state),
    text, clamp.button, repeats, foot,
  );

  let following = false;
  let settled = 0;
  /** What the text area shows: which run of which cell, how much of it, and which HTML. */
  let shown = { id: "", chars: 0, html: /** @type {string | null} */ (null) };

  const cell = () => cellsOf(k)[sample] ?? cellsOf(k)[0];

  function press() {
    const now = cell();
    if (now.wish || performance.now() < settled) return;
    now.wish = ended(now) ? "Asking …" : "Stopping …";
    store.send({ do: ended(now) ? "retry" : "stop", cell: now.i });
    redraw();
    drawState(now);
  }

  /** @param {number} step */
  function turn(step) {
    const count = cellsOf(k).length;
    sample = (sample + step + count) % count;
    write(new Set([cell().i]));
    measure([clamp]);
    redraw();
  }

  /** @param {Set<number>} changed whether there was anything to do */
  function write(changed) {
    const now = cell();
    drawRepeats();
    if (!changed.has(now.i)) return false;
    drawState(now);
    drawText(now);
    return true;
  }

  /** @param {Cell} now */
  function drawState(now) {
    const over = ended(now);
    if (section.dataset.state !== now.state && over) settled = performance.now() + SETTLE_MS;
    section.dataset.state = store.live || over ? now.state : "lost";
    section.setAttribute("aria-busy", String(!over && store.live));
    const label = now.wish ?? (over ? "Retry" : "Stop");
    if (act.textContent !== label) act.textContent = label;
    act.setAttribute("aria-label", `${label} ${name}`);
    act.classList.toggle("quiet", over);
    act.disabled = !store.live;
    word.textContent = wording(now, performance.now());
  }

  /** @param {Cell} now */
  function drawText(now) {
    const id = `${now.i}.${now.run}`;
    if (shown.id !== id || (shown.html && now.html == null)) {
      text.replaceChildren();
      shown = { id, chars: 0, html: null };
    }
    if (now.html != null) {
      if (shown.html !== now.html) drawAnswer(now.html);
      if (!text.textContent?.trim()) text.append(h("div", "aside", "Stopped before the first word."));
      shown.html = now.html;
      following = false;
      return;
    }
    if (now.text.length) {
      let plain = text.querySelector(".plain");
      if (!plain) text.append((plain = h("div", "plain", h("div", ""))));
      appendText(plain, now.text.slice(shown.chars));
      shown.chars = now.text.length;
    }
    drawAside(now);
    following = true;
  }

  /** @param {string} html */
  function drawAnswer(html) {
    // The only place where a string becomes markup: made and sanitised by allos.render in the kernel.
    text.innerHTML = html;
    text.scrollTop = 0;
  }

  /** What goes on while there is nothing (more) to read. @param {Cell} now */
  function drawAside(now) {
    let aside = /** @type {HTMLElement | null} */ (text.querySelector(".aside"));
    const says = now.attempt
      ? [h("b", "", now.attempt.title), ` ${now.attempt.message}${nextTry(now.attempt)}`]
      : now.thinking && !now.text
        ? [`Reasoning, ${now.thinking.toLocaleString("en")} characters`]
        : [];
    if (!says.length) return aside?.remove();
    if (!aside) text.prepend((aside = h("div", "")));
    aside.className = now.attempt ? "aside warn" : "aside";
    aside.replaceChildren(...says);
  }

  function drawRepeats() {
    const count = cellsOf(k).length;
    repeats.hidden = count < 2;
    place.textContent = `${sample + 1} / ${count}`;
    same.textContent = column().same;
  }

  /** @param {number} at @param {number} longest seconds that fill a bar */
  function tick(at, longest) {
    const now = cell();
    const over = ended(now);
    const all = spent(now, at);
    const first = Math.min(now.first_s ?? all, all);
    const [wait, write] = /** @type {HTMLElement[]} */ ([...bar.children]);
    wait.style.width = `${(100 * first) / longest}%`;
    write.style.left = wait.style.width;
    write.style.width = `${(100 * (all - first)) / longest}%`;
    // A running clock shows tenths: more would only flicker.
    const clock = all < 60 ? `${all.toFixed(1)} s` : seconds(all);
    const facts = over ? now.facts : [all ? clock : "–", ...(now.facts ?? [])];
    // Rebuilt only when it says something else, so that a selection survives.
    const line = facts.join("\n");
    if (nums.dataset.line !== line) {
      nums.dataset.line = line;
      nums.replaceChildren(...facts.map((fact, n) => h(n ? "span" : "b", "", fact)));
      const began = now.first_s == null ? "" : `first token after ${seconds(now.first_s)}, `;
      bar.setAttribute("aria-label", `${began}${seconds(all)} in all`);
      bar.title = `${began}${seconds(all)} in all`;
    }
    if (!over) word.textContent = wording(now, at);
  }

  /** @param {Cell} now @param {number} at */
  function wording(now, at) {
    if (!store.live && !ended(now)) return "kernel gone";
    if (now.state === "waiting" && now.attempt) {
      const left_s = Math.ceil(((now.attempt.due ?? at) - at) / 1000);
      const which = `try ${now.attempt.next} of ${now.attempt.of}`;
      return left_s > 0 ? `${which} in ${left_s} s` : which;
    }
    if (now.state === "running") {
      return now.text ? now.speed || "writing" : now.thinking ? "reasoning" : "asked";
    }
    const words = { queued: "queued", waiting: "waiting", ok: "done", error: "failed", cancelled: "stopped" };
    return words[now.state] ?? now.state;
  }

  return { section, write, tick, clamp, sample: () => sample };
}

/** When a model is asked again, by the clock on the wall. @param {Attempt} attempt */
function nextTry(attempt) {
  const left_ms = (attempt.due ?? 0) - performance.now();
  if (left_ms < 2000) return "";
  const at = new Date(Date.now() + left_ms).toLocaleTimeString("en-GB");
  return ` The next try is at ${at}. The other columns go on.`;
}

/**
 * Append text to blocks of bounded size; a line end becomes the border of two blocks.
 * @param {Element} plain @param {string} text
 */
function appendText(plain, text) {
  while (text) {
    const block = /** @type {Element} */ (plain.lastElementChild);
    const room = BLOCK_CHARS - (block.textContent ?? "").length;
    const cut = text.length > room ? text.indexOf("\n", Math.max(0, room)) : -1;
    const piece = cut < 0 ? text : text.slice(0, cut);
    if (block.firstChild) /** @type {Text} */ (block.firstChild).appendData(piece);
    else block.append(piece);
    if (cut < 0) return;
    plain.append(h("div", ""));
    text = text.slice(cut + 1);
  }
}

// ---- pieces ---------------------------------------------------------------------------------------

/**
 * A box of so many lines with a button for the rest. While `following` it shows its end.
 * @param {HTMLElement} box @param {number} lines @param {string} what
 * @param {() => boolean} [following]
 */
function makeClamp(box, lines, what, following) {
  let open = false;
  let hidden = 0;
  const more = button("more", "", () => {
    open = !open;
    measure([clamp]);
  });
  more.hidden = true;
  box.classList.add("clamp");
  box.style.setProperty("--lines", String(lines));

  // A button for a line or two would take as much room as it saves.
  const needed = () => hidden > 3;
  const tail = () => needed() && !open && Boolean(following?.());

  const clamp = {
    button: more,
    read() {
      const line = parseFloat(getComputedStyle(box).lineHeight) || 20;
      hidden = Math.max(0, Math.round(box.scrollHeight / line - lines));
    },
    write() {
      box.classList.toggle("open", open || !needed());
      box.classList.toggle("tail", tail());
      box.classList.toggle("cut", needed() && !open && !tail());
      more.hidden = !needed();
      more.setAttribute("aria-expanded", String(open));
      const label = open ? "Show less" : `${hidden} more lines`;
      if (more.textContent === label) return;
      more.textContent = label;
      more.setAttribute("aria-label", open ? `Show less of ${what}` : `Show ${what}: ${label}`);
    },
    scroll() {
      box.scrollTop = tail() ? box.scrollHeight : 0;
    },
  };
  return clamp;
}

/**
 * Fit boxes to their texts. Each step for all of them: a size that is read after something was
 * written costs a layout of the page.
 * @param {ReturnType<typeof makeClamp>[]} clamps
 */
function measure(clamps) {
  for (const clamp of clamps) clamp.read();
  for (const clamp of clamps) clamp.write();
  for (const clamp of clamps) clamp.scroll();
}

/**
 * Tells a screen reader of starts and ends, a few at a time.
 * @param {HTMLElement} speech
 */
function makeSpeaker(speech) {
  /** @type {Map<number, string>} */
  const last = new Map();
  /** @type {string[]} */
  const waiting = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const words = { queued: "started", ok: "done", error: "failed", cancelled: "stopped" };

  function speak() {
    timer = undefined;
    if (!waiting.length) return;
    speech.textContent = waiting.splice(0).join(". ");
    timer = setTimeout(speak, SPEAK_MS);
  }

  return {
    /** @param {Snapshot} now */
    tell(now) {
      for (const cell of now.cells) {
        const state = ended(cell) ? cell.state : "queued";
        if (last.get(cell.i) === state) continue;
        last.set(cell.i, state);
        const { key, model } = now.columns[cell.column];
        waiting.push(`${key}, ${model}: ${words[state]}`);
      }
      if (waiting.length && !timer) timer = setTimeout(speak, 50);
    },
    stop: () => clearTimeout(timer),
  };
}

// One store for each widget model: anywidget calls this once per model.
export default () => {
  /** @type {Store | undefined} */
  let store;
  return {
    initialize(/** @type {{model: any}} */ { model }) {
      store = makeStore(model);
    },
    render(/** @type {{model: any, el: HTMLElement}} */ { model, el }) {
      store ??= makeStore(model);
      return show(store, model, el);
    },
  };
};
