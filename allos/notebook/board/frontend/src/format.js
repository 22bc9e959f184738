/**
 * Numbers and states in words. The rules for numbers are those of `allos.render.format`.
 *
 * @import { Attempt, Column } from "./protocol.js"
 * @import { CellState } from "./state.js"
 */

import { isEnded } from "./state.js";

/** A next attempt sooner than this is not worth a time of day. */
const SOON_MS = 2000;

/** @param {number} value_s */
export function seconds(value_s) {
  if (value_s < 0.0995) return `${Math.round(Math.max(value_s, 0) * 1000)} ms`;
  if (value_s < 0.995) return `${value_s.toFixed(2)} s`;
  if (value_s < 59.95) return `${value_s.toFixed(1)} s`;
  const whole_s = Math.round(value_s);
  return `${Math.floor(whole_s / 60)} min ${whole_s % 60} s`;
}

/** US dollars. @param {number} value */
export const money = (value) => (value ? `$${Number(value.toPrecision(2))}` : "free");

/** A running clock: hundredths would only flicker. @param {number} value_s */
export function clock(value_s) {
  if (!value_s) return "–";
  return value_s < 59.95 ? `${value_s.toFixed(1)} s` : seconds(value_s);
}

/** A column in words. @param {Column} column */
export const nameOf = ({ letter, model, params, run }) => [letter, model, run, params].filter(Boolean).join(", ");

/** Classes of the colour of a cell, or of its column. @param {Column} column @param {CellState} [cell] */
export const tintOf = ({ slot, shade }, cell) => cell?.tint || `c${slot} s${shade}`;

const STATES = {
  queued: "queued",
  waiting: "waiting",
  running: "asked",
  ok: "done",
  error: "failed",
  cancelled: "stopped",
};

/**
 * What a call does, in a word or a few.
 * @param {CellState} cell
 * @param {number} now_ms
 */
export function stateLabel(cell, now_ms) {
  if (cell.state === "waiting" && cell.attempt) {
    const { next, of, due_at_ms } = cell.attempt;
    const left_s = Math.ceil((due_at_ms - now_ms) / 1000);
    return left_s > 0 ? `try ${next} of ${of} in ${left_s} s` : `try ${next} of ${of}`;
  }
  if (cell.state === "running" && cell.text) return cell.speed || "writing";
  if (cell.state === "running" && cell.reasoning_chars) return "reasoning";
  return STATES[cell.state];
}

/** What a screen reader announces of a call. @param {CellState} cell */
export const spokenState = (cell) => (isEnded(cell) ? STATES[cell.state] : "started");

/**
 * When a model is asked again, by the time of day.
 * @param {Attempt & {due_at_ms: number}} attempt
 * @param {number} now_ms
 */
export function nextAttemptAt({ due_at_ms }, now_ms) {
  const left_ms = due_at_ms - now_ms;
  if (left_ms < SOON_MS) return "";
  const at = new Date(Date.now() + left_ms).toLocaleTimeString("en-GB");
  return ` The next try is at ${at}. The other columns go on.`;
}
