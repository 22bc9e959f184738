/**
 * The state of a board, as far as the kernel has sent it, and the one function that changes it.
 *
 * Pure: the clock is an argument. What has not changed keeps its identity, so views need only compare.
 *
 * @import { Attempt, Cell, CellAction, CellUpdate, Found, KernelMessage, Snapshot, UpdateMessage } from "./protocol.js"
 *
 * @typedef {Omit<Cell, "age_s" | "attempt"> & {
 *   attempt: (Attempt & {due_at_ms: number}) | null,
 *   sent_at_ms: number | null,
 *   ended_at_ms: number | null,
 *   pending_action: CellAction["action"] | null,
 * }} CellState times are on this page's clock; `pending_action`: pressed, and the kernel has not reacted
 * @typedef {Omit<Snapshot, "cells"> & {
 *   cells: ReadonlyMap<string, CellState>, found: Found | null, connected: boolean, has_gap: boolean,
 * }} BoardState `has_gap`: the last message did not fit, something before it is missing
 * @typedef {KernelMessage | {type: "pressed", press: CellAction} | {type: "run_again", failed?: boolean} | {type: "rated", cell: string, rating: number | null} | {type: "disconnected"}} BoardEvent
 */

const ENDED = new Set(["ok", "error", "cancelled"]);

/** @param {{state: string}} cell */
export const isEnded = (cell) => ENDED.has(cell.state);

/**
 * @param {Snapshot} snapshot
 * @param {number} now_ms
 * @returns {BoardState}
 */
export function initialState(snapshot, now_ms) {
  return replaceAll(undefined, snapshot, now_ms);
}

/**
 * The state after an event.
 * @param {BoardState} state
 * @param {BoardEvent} event
 * @param {number} now_ms this page's clock
 * @returns {BoardState}
 */
export function reduce(state, event, now_ms) {
  switch (event.type) {
    case "snapshot":
      return replaceAll(state, event.snapshot, now_ms);
    case "update":
      return update(state, event, now_ms);
    case "pressed": {
      const cell = state.cells.get(event.press.cell);
      if (!cell) return state;
      return withCells(state, [{ ...cell, pending_action: event.press.action }]);
    }
    case "rated": {
      const cell = state.cells.get(event.cell);
      return cell ? withCells(state, [{ ...cell, rating: event.rating }]) : state;
    }
    case "run_again":
      return withCells(
        state,
        [...state.cells.values()]
          .filter((cell) => !event.failed || cell.state === "error")
          .map((cell) => ({ ...cell, pending_action: "retry" })),
      );
    case "disconnected":
      return state.connected ? { ...state, connected: false } : state;
  }
}

/**
 * @param {BoardState | undefined} state
 * @param {Snapshot} snapshot
 * @param {number} now_ms
 * @returns {BoardState}
 */
function replaceAll(state, snapshot, now_ms) {
  let isNew = state?.cells.size !== snapshot.cells.length;
  const cells = new Map(
    snapshot.cells.map((update) => {
      const cell = dated(update, now_ms);
      const known = state?.cells.get(cell.key);
      if (known && isEnded(cell)) cell.ended_at_ms = known.ended_at_ms ?? now_ms;
      const same = known && !known.pending_action && digest(known) === digest(cell);
      isNew ||= !same;
      return [cell.key, same ? known : cell];
    }),
  );
  return {
    ...snapshot,
    cells: state && !isNew ? state.cells : cells,
    found: state?.found ?? null,
    connected: true,
    has_gap: false,
  };
}

/** What there is to know of a cell, without what goes on with the clock. @param {CellState} cell */
function digest({ sent_at_ms, ended_at_ms, speed, attempt, html, text, blocks, open, ...rest }) {
  return JSON.stringify([rest, html ?? text, attempt && [attempt.next, attempt.message]]);
}

/**
 * @param {BoardState} state
 * @param {UpdateMessage} message
 * @param {number} now_ms
 * @returns {BoardState}
 */
function update(state, { type, cells: updates = [], ...rest }, now_ms) {
  let has_gap = false;
  const changed = [];
  for (const update of updates) {
    const known = state.cells.get(update.key);
    const cell = known ?? (isComplete(update) ? newCell(update, now_ms) : undefined);
    if (!cell) {
      has_gap = true;
      continue;
    }
    const { next, missing } = updateCell(cell, update, now_ms);
    has_gap ||= missing;
    changed.push(next);
  }
  return withCells({ ...state, ...rest, connected: true, has_gap }, changed);
}

/** @type {Pick<Cell, "part" | "blocks" | "open" | "text">} */
const UNWRITTEN = { part: 0, blocks: [], open: "", text: "" };

/** A cell before its first text. @param {CellUpdate & Cell} update @param {number} now_ms */
function newCell({ offset, blocks_at, ...facts }, now_ms) {
  return dated({ ...facts, ...UNWRITTEN }, now_ms);
}

/**
 * Whether an update holds all that a cell needs.
 * @param {CellUpdate} update
 * @returns {update is CellUpdate & Cell}
 */
function isComplete(update) {
  return update.column !== undefined && update.run !== undefined && update.state !== undefined;
}

/**
 * @param {CellState} cell
 * @param {CellUpdate} update
 * @param {number} now_ms
 */
function updateCell(cell, update, now_ms) {
  const { offset, blocks_at, part, blocks, open, text, age_s, attempt, ...facts } = update;
  const before = facts.run === undefined || facts.run === cell.run ? cell : UNWRITTEN;
  const known = { part: before.part, blocks: before.blocks, open: before.open, text: before.text };
  const written = text === undefined ? known : withText(known, { ...update, text });
  const missing = written === null;
  /** @type {CellState} */
  const next = { ...cell, ...facts, ...(written ?? known) };
  if (age_s !== undefined) next.sent_at_ms = sentAt(age_s, now_ms);
  if (attempt !== undefined) next.attempt = withDue(attempt, now_ms);
  if (facts.state !== undefined || facts.html) next.pending_action = null;
  if (isEnded(next) !== isEnded(cell)) next.ended_at_ms = isEnded(next) ? now_ms : null;
  return { next, missing };
}

/**
 * What is written, with what has come; null where something before it is missing.
 * @param {typeof UNWRITTEN} known
 * @param {CellUpdate & {text: string}} update
 * @returns {typeof UNWRITTEN | null}
 */
function withText(known, { part = known.part, blocks_at, blocks = [], open = "", offset = 0, text }) {
  if (part < known.part) return known; // a snapshot was faster
  if (blocks_at !== undefined) {
    if (blocks_at > known.blocks.length) return null;
    return { part, blocks: [...known.blocks.slice(0, blocks_at), ...blocks], open, text };
  }
  if (part > known.part || offset > known.text.length) return null;
  return { ...known, text: known.text + text.slice(known.text.length - offset) };
}

/**
 * A cell as the kernel tells it, with its times on this page's clock.
 * @param {Cell} update
 * @param {number} now_ms
 * @returns {CellState}
 */
function dated({ age_s, attempt, ...facts }, now_ms) {
  return {
    ...facts,
    attempt: withDue(attempt, now_ms),
    sent_at_ms: sentAt(age_s, now_ms),
    ended_at_ms: null,
    pending_action: null,
  };
}

/** @param {number | null} age_s @param {number} now_ms */
const sentAt = (age_s, now_ms) => (age_s === null ? null : now_ms - age_s * 1000);

/** @param {Attempt | null} attempt @param {number} now_ms */
const withDue = (attempt, now_ms) =>
  attempt && { ...attempt, due_at_ms: now_ms + attempt.in_s * 1000 };

/**
 * @param {BoardState} state
 * @param {CellState[]} changed
 * @returns {BoardState}
 */
function withCells(state, changed) {
  if (!changed.length) return state;
  const cells = new Map(state.cells);
  for (const cell of changed) cells.set(cell.key, cell);
  return { ...state, cells };
}

/** Whether a call is under way, or was asked for again. @param {BoardState} state */
export function isActive(state) {
  return [...state.cells.values()].some((cell) => !isEnded(cell) || cell.pending_action === "retry");
}

/**
 * Seconds that a cell's attempt has taken, so far or in all.
 * @param {CellState} cell
 * @param {number} now_ms
 */
export function elapsed_s(cell, now_ms) {
  if (isEnded(cell)) return cell.latency_s ?? 0;
  return cell.sent_at_ms === null ? 0 : Math.max(0, (now_ms - cell.sent_at_ms) / 1000);
}
