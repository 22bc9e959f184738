/**
 * Which columns, prompts and answers a view shows, and in which order. Pure; what depends on the cells
 * alone is computed once for each state.
 *
 * @import { Column, Row } from "./protocol.js"
 * @import { BoardState, CellState } from "./state.js"
 * @import { FilterName, ViewState } from "./view_state.js"
 *
 * @typedef {object} Facts what is known of the cells together
 * @property {ReadonlyMap<string, CellState[]>} at cells by place, in the order of their repeats
 * @property {Record<Exclude<FilterName, "all">, ReadonlySet<string>>} flagged keys of cells, by filter
 * @property {ReadonlyMap<string, number>} distinct how many different answers each prompt has, by its key
 * @property {number} deferred how many texts are not here
 *
 * @typedef {object} Group repeats with the same answer
 * @property {CellState} cell the first of them
 * @property {number} count
 * @property {Set<string | undefined>} labels which calls they are of, where they are not all repeats of one
 */

import { METRICS, parseQuery } from "./query.js";
import { isEnded } from "./state.js";

/** An answer that took so many times the median is slow, if it took so many seconds. */
const SLOW_TIMES = 2;
const SLOW_S = 1;

/** Place of the repeats of one call. @param {string} column @param {string} row */
export const placeOf = (column, row) => `${column}|${row}`;

/** @type {WeakMap<ReadonlyMap<string, CellState>, Facts>} */
const known_facts = new WeakMap();
/** Lists by their first cell: those that are as they were keep their identity. @type {WeakMap<CellState, CellState[]>} */
const known_lists = new WeakMap();

/** @param {Pick<BoardState, "cells">} state @returns {Facts} */
export function factsOf({ cells }) {
  const known = known_facts.get(cells);
  if (known) return known;
  /** @type {Map<string, CellState[]>} */
  const at = new Map();
  /** @type {Map<string, CellState[]>} */
  const by_row = new Map();
  const latencies_s = [];
  let deferred = 0;
  for (const cell of cells.values()) {
    push(at, placeOf(cell.column, cell.row), cell);
    push(by_row, cell.row, cell);
    if (cell.state === "ok" && cell.latency_s !== null) latencies_s.push(cell.latency_s);
    deferred += Number(cell.is_deferred);
  }
  const slow_s = Math.max(SLOW_S, SLOW_TIMES * median(latencies_s));
  const flagged = {
    different: new Set(),
    errors: keysOf(cells, (cell) => cell.state === "error"),
    slow: keysOf(cells, (cell) => cell.state === "ok" && (cell.latency_s ?? 0) > slow_s),
    rated: keysOf(cells, (cell) => cell.rating !== null),
  };
  const distinct = new Map();
  for (const [row, members] of by_row) distinct.set(row, flagDifferent(members, flagged.different));
  for (const [place, list] of at) {
    const first = /** @type {CellState} */ (list[0]);
    const before = known_lists.get(first);
    if (before && isSame(before, list)) at.set(place, before);
    else known_lists.set(first, list);
  }
  const facts = { at, flagged, distinct, deferred };
  known_facts.set(cells, facts);
  return facts;
}

/** @param {readonly unknown[]} a @param {readonly unknown[]} b */
export const isSame = (a, b) => a.length === b.length && a.every((item, at) => item === b[at]);

/**
 * @template K, V
 * @param {Map<K, V[]>} map
 * @param {K} key
 * @param {V} value
 */
function push(map, key, value) {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** @param {ReadonlyMap<string, CellState>} cells @param {(cell: CellState) => boolean} test */
function keysOf(cells, test) {
  const keys = new Set();
  for (const cell of cells.values()) if (test(cell)) keys.add(cell.key);
  return keys;
}

/** @param {number[]} values */
function median(values) {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2) return sorted[middle] ?? 0;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Flag the answers to one prompt that are not the most frequent one.
 * @param {CellState[]} cells
 * @param {Set<string>} flagged
 * @returns {number} how many different answers there are
 */
function flagDifferent(cells, flagged) {
  /** @type {Map<number, CellState[]>} */
  const groups = new Map();
  for (const cell of cells) if (cell.state === "ok") push(groups, cell.answer, cell);
  if (groups.size < 2) return groups.size;
  const largest = [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a));
  for (const group of groups.values()) {
    if (group === largest && group.length > 1) continue;
    for (const cell of group) flagged.add(cell.key);
  }
  return groups.size;
}

/** Columns that are shown: pinned ones first, then as a person has put them. @param {BoardState} state @param {ViewState} view @returns {Column[]} */
export function shownColumns(state, view) {
  if (!view.hidden.size && !view.order.length && !view.pinned.size) return state.columns;
  const rank = (/** @type {Column} */ { key }) => {
    const at = view.order.indexOf(key);
    return (view.pinned.has(key) ? 0 : 1e6) + (at < 0 ? 1e3 : at);
  };
  return state.columns
    .filter(({ key }) => !view.hidden.has(key))
    .sort((a, b) => rank(a) - rank(b));
}

/** @type {WeakMap<readonly CellState[], Group[]>} */
const known_groups = new WeakMap();

/** Repeats with the same answer, collapsed; what has not ended stands alone. @param {readonly CellState[]} cells @returns {Group[]} */
export function groupsOf(cells) {
  const known = known_groups.get(cells);
  if (known) return known;
  const groups = grouped(cells);
  known_groups.set(cells, groups);
  return groups;
}

/** @param {readonly CellState[]} cells @returns {Group[]} */
function grouped(cells) {
  /** @type {Map<unknown, Group>} */
  const groups = new Map();
  for (const cell of cells) {
    const key = isEnded(cell) ? cell.answer : cell.key;
    const group = groups.get(key) ?? { cell, count: 0, labels: new Set() };
    group.count += 1;
    group.labels.add(cell.label);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * Which of the groups a view shows.
 * @param {readonly Group[]} groups
 * @param {readonly CellState[]} cells
 * @param {number | undefined} sample the repeat that a person has turned to
 */
export function shownGroup(groups, cells, sample = 0) {
  const wanted = cells.find((cell) => cell.sample === sample) ?? cells[0];
  const at = groups.findIndex(({ cell }) => cell === wanted || (wanted && isEnded(wanted) && cell.answer === wanted.answer && isEnded(cell)));
  return Math.max(0, at);
}

/**
 * How alike the repeats of a call are, in words; empty for one.
 * @param {readonly CellState[]} cells
 * @param {readonly Group[]} groups
 */
export function agreement(cells, groups) {
  const n = cells.length;
  if (n < 2 || !cells.every(isEnded)) return n < 2 ? "" : `${cells.filter(isEnded).length} of ${n} repeats done`;
  if (groups.length === 1) return `${n === 2 ? "both" : `all ${n}`} repeats the same`;
  const most = Math.max(...groups.map(({ count }) => count));
  return most === 1 ? `${n} different repeats` : `${most} of ${n} repeats the same`;
}

/**
 * Keys of the cells that the filter and the search field leave; null when they leave all.
 * @param {BoardState} state
 * @param {ViewState} view
 * @returns {ReadonlySet<string> | null}
 */
export function matching(state, view) {
  const text = view.query.trim();
  if (view.filter === "all" && !text) return null;
  const { flagged } = factsOf(state);
  const { words, conditions } = parseQuery(text);
  const asked = words.join(" ");
  const found = new Set(state.found?.query === asked ? state.found.cells : []);
  const prompts = new Map(
    state.rows.map(({ key, label, prompt }) => [key, `${label} ${prompt || state.prompt}`.toLowerCase()]),
  );
  const models = new Map(
    state.columns.map(({ key, provider, model, params }) => [key, `${provider}/${model} ${params}`.toLowerCase()]),
  );
  return keysOf(state.cells, (cell) => {
    if (view.filter !== "all" && !flagged[view.filter].has(cell.key)) return false;
    if (!conditions.every((holds) => holds(cell, cell.model ?? models.get(cell.column) ?? ""))) return false;
    if (!words.length) return true;
    if (cell.is_deferred) return found.has(cell.key);
    const prompt = prompts.get(cell.row) ?? "";
    const answer = (cell.source || cell.text).toLowerCase();
    return words.every((word) => answer.includes(word) || prompt.includes(word));
  });
}

/** What the kernel must look for: the words, where not all texts are here. @param {BoardState} state @param {string} text */
export function remoteQuery(state, text) {
  const words = parseQuery(text).words.join(" ");
  return words && factsOf(state).deferred ? words : "";
}

/**
 * Filters that tell something, and how many members each has: prompts where there are several, else answers.
 * @param {BoardState} state
 * @returns {[FilterName, number][]}
 */
export function filtersOf(state) {
  const { flagged } = factsOf(state);
  const count = (/** @type {ReadonlySet<string>} */ keys) => {
    if (state.rows.length < 2) return keys.size;
    return new Set([...keys].map((key) => state.cells.get(key)?.row)).size;
  };
  const all = state.rows.length < 2 ? state.cells.size : state.rows.length;
  const names = /** @type {const} */ (["different", "errors", "slow", "rated"]);
  const some = names.map((name) => /** @type {[FilterName, number]} */ ([name, count(flagged[name])]));
  const isTelling = (/** @type {[FilterName, number]} */ [name, members]) =>
    members && (name !== "different" || members < all);
  return [["all", all], ...some.filter(isTelling)];
}

/**
 * Prompts that are shown, in order.
 * @param {BoardState} state
 * @param {ViewState} view
 * @param {ReadonlySet<string> | null} cells those that match
 * @returns {Row[]}
 */
export function shownRows(state, view, cells) {
  let rows = state.rows;
  if (cells) {
    const left = new Set([...cells].map((key) => state.cells.get(key)?.row));
    rows = rows.filter(({ key }) => left.has(key));
  }
  const value = view.sort && rowValue(state, view.sort.by);
  if (!value) return rows;
  return sorted(rows, value, Boolean(view.sort?.isDown));
}

/** @param {BoardState} state @param {string} by @returns {((row: Row) => string | number | null) | null} */
function rowValue(state, by) {
  const { at, distinct } = factsOf(state);
  if (by === "different") return ({ key }) => -(distinct.get(key) ?? 0);
  if (by === "change") return ({ change }) => (change === null ? null : -change);
  if (by === "prompt") return ({ label }) => label.toLowerCase();
  const metric = METRICS[by];
  if (!metric) return null;
  return ({ key }) => {
    const values = state.columns.flatMap((column) =>
      (at.get(placeOf(column.key, key)) ?? []).map(metric).filter((value) => value !== null),
    );
    return values.length ? -Math.max(...values) : null;
  };
}

/**
 * Lines of the table: every different answer, in order.
 * @param {BoardState} state
 * @param {ViewState} view
 * @param {readonly Column[]} columns
 * @param {ReadonlySet<string> | null} cells those that match
 * @returns {(Group & {row: Row, column: Column})[]}
 */
export function tableLines(state, view, columns, cells) {
  const { at } = factsOf(state);
  /** @type {ReturnType<typeof tableLines>} */
  const lines = [];
  for (const row of state.rows) {
    for (const column of columns) {
      const here = at.get(placeOf(column.key, row.key)) ?? [];
      const left = cells ? here.filter(({ key }) => cells.has(key)) : here;
      for (const group of groupsOf(left)) lines.push({ ...group, row, column });
    }
  }
  const by = view.sort?.by;
  if (!by) return lines;
  const metric = METRICS[by];
  /** @type {(line: (typeof lines)[number]) => string | number | null} */
  const value = (line) => {
    if (metric) return metric(line.cell);
    if (by === "model") return `${line.column.letter.length}${line.column.letter}`;
    if (by === "state") return line.cell.state;
    if (by === "answer") return (line.cell.source || line.cell.text).toLowerCase();
    return Number(line.row.key);
  };
  return sorted(lines, value, Boolean(view.sort?.isDown));
}

/**
 * Sorted by a value; what has none stands last in either direction.
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string | number | null} valueOf
 * @param {boolean} isDown
 */
function sorted(items, valueOf, isDown) {
  const sign = isDown ? -1 : 1;
  return items
    .map((item) => /** @type {const} */ ([valueOf(item), item]))
    .sort(([a], [b]) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      return a === b ? 0 : a < b ? -sign : sign;
    })
    .map(([, item]) => item);
}
