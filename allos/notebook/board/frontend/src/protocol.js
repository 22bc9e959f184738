/**
 * What the kernel and the page say to each other, and nothing else. The kernel's side is
 * `allos/runs/board_messages/updates.py`; tests/frontend/messages.json holds examples that both test.
 *
 * Times in seconds are durations as the kernel measured them: the two clocks are never compared.
 * A model's words travel as `text`, and as `blocks`, `open` and `html` that the kernel has made and
 * sanitised.
 *
 * @typedef {"queued" | "running" | "waiting" | "ok" | "error" | "cancelled"} CallState
 *
 * @typedef {object} Column
 * @property {string} key names the column; opaque
 * @property {string} letter shown in front of its name
 * @property {string} provider
 * @property {string} model
 * @property {string} params the parameters that set it apart
 * @property {string} numbers over all of its answers, where there are several
 * @property {string} run label of its run, where several stand side by side
 * @property {number} slot which of the colours; -1 is none
 * @property {number} shade which of its shades: settings of one model differ
 *
 * @typedef {object} Arranged variables of the rows, the columns and the colours; null where they are as asked
 * @property {string[] | null} rows
 * @property {string[] | null} columns
 * @property {string} colour
 *
 * @typedef {object} Row one prompt, or what its answers have in common where they are arranged anew
 * @property {string} key names the prompt; opaque
 * @property {string} label its name, on one line; empty where there is only one prompt
 * @property {string} prompt what was asked, where there are several
 * @property {number | null} change how much the answers of several runs differ, from 0 to 1
 *
 * @typedef {object} Attempt a failed attempt that will be repeated
 * @property {number} next number of the next attempt, from 1
 * @property {number} of most attempts
 * @property {number} in_s until the next attempt
 * @property {string} title
 * @property {string} message
 *
 * @typedef {object} Cell one call
 * @property {string} key names the cell; opaque
 * @property {string} column key of its column
 * @property {string} row key of its prompt
 * @property {number} sample which repeat, from 0
 * @property {number} run grows with each retry; what belongs to an earlier run is void
 * @property {boolean} is_deferred its text is not here: ask for it with `texts`
 * @property {CallState} state
 * @property {number} part grows whenever `blocks` or `open` changes: then `text` begins anew
 * @property {string[]} blocks HTML of the finished blocks, while it streams
 * @property {string} open HTML of the beginning of a list or table behind them
 * @property {string} text behind these, so far; empty once there is `html`
 * @property {string | null} html the finished answer
 * @property {string} source its Markdown
 * @property {string} error the beginning of an error's message
 * @property {string[]} facts the numbers below the answer
 * @property {Record<string, string>} hints what to show on hover of a fact, such as why a cost is unknown
 * @property {string} speed while it streams
 * @property {number} reasoning_chars
 * @property {Attempt | null} attempt
 * @property {number | null} age_s since the attempt was sent; null while it is not
 * @property {number | null} first_s from there to the first token
 * @property {number | null} latency_s from there to the end
 * @property {number} answer number among the answers to the same prompt; equal answers have the same
 * @property {number | null} output_tokens
 * @property {number | null} cost_usd
 * @property {boolean} is_replayed its times are those of the recorded call
 * @property {number | null} rating a person's, of the log
 * @property {string} [label] what tells it from others in its place, where they are not all repeats of one call
 * @property {string} [model] whose it is, to search for, where its column may be of several
 * @property {string} [tint] classes of its colour, where that is not its column's
 *
 * @typedef {object} Snapshot everything that a page needs
 * @property {string} table_class class of the static table that the board stands in for
 * @property {string} system
 * @property {string} prompt
 * @property {string} prompt_html images and files of the prompt, made by `allos.render` in the kernel
 * @property {string[]} chips
 * @property {Column[]} columns
 * @property {Row[]} rows at least one
 * @property {string} rows_title what the prompts are told apart by
 * @property {string} columns_title what the columns are told apart by
 * @property {string[]} variables what rows, columns and colours can stand for
 * @property {Arranged} arranged
 * @property {Cell[]} cells
 * @property {[before: string, value: string, after: string, hint: string][]} summary
 * @property {string} logged_as id of the comparison in the log, or empty
 * @property {boolean} can_run whether calls can be stopped and made again
 * @property {string} notice
 * @property {Vote | null} vote what people vote on; then names, numbers and other answers are not here
 * @property {Ranking | null} ranking
 *
 * @typedef {object} Side one of two answers
 * @property {string} html
 * @property {string} names vendor or model that it names, if any
 *
 * @typedef {{phase: "waiting", answered: number, calls: number}} Waiting answers are shown once all are there
 * @typedef {object} Voting
 * @property {"voting"} phase
 * @property {number} turn grows whenever the kernel has dealt with a vote
 * @property {string} pair opaque
 * @property {number} voted how many pairs have a vote
 * @property {number} pairs
 * @property {string} system
 * @property {string} prompt
 * @property {[left: Side, right: Side]} sides
 * @property {string[]} rubric questions beside which is better
 * @property {string} last what the newest vote has told
 * @typedef {Waiting | Voting} Vote
 * @typedef {"left" | "right" | "tie" | "bad"} Choice
 *
 * @typedef {object} Ranked
 * @property {string} rank
 * @property {number} low per cent of the axis
 * @property {number} at
 * @property {number} high
 * @property {string} rating in words
 * @property {string} wins
 *
 * @typedef {Ranked & Omit<Column, "numbers">} RankingLine one column as it was asked, whatever columns are shown
 *
 * @typedef {object} Ranking models by the votes of people, the best first
 * @property {number} votes
 * @property {RankingLine[]} lines
 * @property {string} last what the newest vote has told
 * @property {string} says
 * @property {string} counts ties and what is left out
 *
 * @typedef {object} Found what the kernel has found, where texts are not all here
 * @property {string} query
 * @property {string[]} cells
 *
 * @typedef {Partial<Cell> & {key: string, offset?: number, blocks_at?: number}} CellUpdate new facts
 *   of a cell; `text` is appended at `offset`, counted in UTF-16 units, `blocks` at `blocks_at`. The first
 *   one of a cell holds all but `text`.
 *
 * @typedef {{type: "snapshot", snapshot: Snapshot}} SnapshotMessage
 * @typedef {{type: "update", cells?: CellUpdate[], found?: Found}
 *   & Partial<Pick<Snapshot, "columns" | "chips" | "variables" | "summary" | "notice" | "vote" | "ranking">>} UpdateMessage
 * @typedef {{type: "script", text: string}} ScriptMessage the second script, to a page that has asked for it
 * @typedef {SnapshotMessage | UpdateMessage} KernelMessage from the kernel, as a custom message
 *
 * @typedef {{action: "stop" | "retry", cell: string}} CellAction
 * @typedef {CellAction
 *   | {action: "stop_all" | "run_again" | "retry_failed" | "sync" | "script" | "edit"}
 *   | {action: "add", model: string}
 *   | {action: "texts", cells: string[]}
 *   | ({action: "arrange"} & Arranged)
 *   | {action: "rate", cell: string, rating: number | null}
 *   | {action: "vote_start" | "vote_undo" | "vote_stop" | "ranking_close"}
 *   | {action: "vote", pair: string, choice: Choice, taken_s: number, note: string, tags: string[]}
 *   | {action: "search", query: string}} Action to the kernel, likewise; `sync` asks for a
 *   snapshot, `script` for the second script
 */

export {};
