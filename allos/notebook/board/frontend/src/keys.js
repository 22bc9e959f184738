/**
 * What a key does on the board. JupyterLab has commands on single letters (`d` twice deletes a cell), which
 * it hears before the board does; so keys are taken at the window, and only where they are for the board.
 *
 * @typedef {"run" | "stop" | "search" | "help" | "diff" | "focus" | "vote" | "previous_column" | "next_column"
 *   | "previous_row" | "next_row" | `column ${number}`} Command
 */

/** @type {Record<string, Command>} */
const COMMANDS = {
  Escape: "stop",
  "/": "search",
  "?": "help",
  d: "diff",
  f: "focus",
  v: "vote",
  h: "previous_column",
  l: "next_column",
  k: "previous_row",
  j: "next_row",
};

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} event
 * @param {boolean} isTyping whether the key is for a field
 * @returns {Command | null}
 */
export function commandOf({ key, ctrlKey, metaKey, altKey }, isTyping) {
  if (key === "Enter" && (ctrlKey || metaKey) && !altKey) return "run";
  if (ctrlKey || metaKey || altKey) return null;
  if (key === "Escape") return "stop";
  if (isTyping) return null;
  if (/^[1-9]$/.test(key)) return `column ${Number(key)}`;
  return Object.hasOwn(COMMANDS, key) ? (COMMANDS[key] ?? null) : null;
}
