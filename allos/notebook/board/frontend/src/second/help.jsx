/** The list of keys. */

/** @type {readonly [keys: string, does: string][]} shown by `?` */
const HELP = [
  ["Ctrl ⏎ or ⌘ ⏎", "run again"],
  ["Esc", "close what is open, then stop all models"],
  ["/", "search in prompts and answers; also latency>2, cost<0.01, model:gpt, is:failed"],
  ["d", "show differences, or not"],
  ["f", "one answer alone, and back"],
  ["v", "vote without names: then 1 left, 2 right, 0 tie, x both bad, n note, u undo"],
  ["1 … 9", "go to a column"],
  ["h l", "previous, next column (one answer alone)"],
  ["k j", "previous, next prompt"],
  ["?", "this list"],
];

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
