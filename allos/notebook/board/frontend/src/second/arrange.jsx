/**
 * What stands in rows, in columns and for colours: three lists of the variables that calls differ in. The
 * kernel arranges, so that the static table and an exported page follow.
 *
 * @import { Arranged } from "../protocol.js"
 * @import { BoardState } from "../state.js"
 */

import { useBoard } from "../views/context.js";

const AS_ASKED = "";

/** @param {{state: BoardState}} props */
export function Arrange({ state: { variables, arranged, connected } }) {
  const { send, change } = useBoard();
  const { rows, columns, colour } = arranged;
  const isAsAsked = !rows && !columns && colour === "model";
  const arrange = (/** @type {Partial<Arranged>} */ chosen) => {
    send({ action: "arrange", ...arranged, ...chosen });
    // What was chosen of other columns and rows.
    change((view) => ({ ...view, mode: "grid", diff: null, row: null, column: null, sort: null }));
  };
  /** A variable is rows or columns: what has it gives it up. @param {string} name @param {string[] | null} other */
  const without = (name, other) => (other?.includes(name) ? null : other);
  return (
    <div class="extra arrange" role="group" aria-label="Arrange">
      <Choice
        label="Columns"
        rest={rows ? "all others" : "as asked"}
        names={columns}
        variables={variables}
        isOff={!connected}
        choose={(name) => arrange({ columns: name ? [name] : null, rows: without(name, rows) })}
      />
      <Choice
        label="Rows"
        rest={columns ? "all others" : "as asked"}
        names={rows}
        variables={variables}
        isOff={!connected}
        choose={(name) => arrange({ rows: name ? [name] : null, columns: without(name, columns) })}
      />
      <Choice
        label="Colour"
        names={[colour]}
        variables={variables.includes("model") ? variables : ["model", ...variables]}
        isOff={!connected}
        choose={(name) => arrange({ colour: name })}
      />
      <button class="btn quiet" disabled={isAsAsked || !connected} onClick={() => arrange({ rows: null, columns: null, colour: "model" })}>
        As asked
      </button>
    </div>
  );
}

/**
 * @param {{label: string, rest?: string, names: string[] | null, variables: readonly string[], isOff: boolean, choose: (name: string) => void}} props
 */
function Choice({ label, rest, names, variables, isOff, choose }) {
  // Several at once come from Python.
  const own = names?.length === 1 ? names[0] : null;
  const several = names && own === null ? names.join(", ") || "nothing" : null;
  return (
    <label>
      {`${label} `}
      <select
        value={several === null ? (own ?? AS_ASKED) : SEVERAL}
        disabled={isOff}
        onChange={({ currentTarget: { value } }) => choose(value)}
      >
        {rest && <option value={AS_ASKED}>{rest}</option>}
        {several !== null && <option value={SEVERAL} hidden>{several}</option>}
        {own && !variables.includes(own) && <option value={own}>{own}</option>}
        {variables.map((name) => <option value={name}>{name}</option>)}
      </select>
    </label>
  );
}

const SEVERAL = "several variables";
