/**
 * What the kernel and the page of a playground say to each other. Every text is shown as text.
 *
 * @typedef {"all" | "first" | "sample" | "row"} Which
 *
 * @typedef {object} DraftModel
 * @property {string} name `provider/model`
 * @property {Record<string, string>} params for it alone, as typed
 *
 * @typedef {object} Draft what is typed; the page writes it, and the kernel plans it
 * @property {string} prompt
 * @property {string} system
 * @property {DraftModel[]} models
 * @property {Record<string, string>} params for all
 * @property {string} n repeats
 * @property {Which} which rows of the data
 * @property {string} count
 * @property {number} revision grows with every change; a plan says of which it is
 *
 * @typedef {object} Parameter
 * @property {string} name
 * @property {string} label
 * @property {"number" | "integer" | "text" | "choice"} kind
 * @property {string[]} choices
 * @property {string} help
 *
 * @typedef {object} Facts
 * @property {string} own_class
 * @property {string[] | null} columns of the data
 * @property {string} data_name
 * @property {number} row_count
 * @property {Parameter[]} parameters
 *
 * @typedef {object} Choice a model to choose
 * @property {string} name
 * @property {string} shown
 * @property {string} price
 * @property {string} window
 * @property {string} obstacle
 * @property {string} advice
 * @property {boolean} usable
 * @property {boolean} listable
 * @property {number} [slot] its colour, among those chosen
 * @property {number} [shade]
 *
 * @typedef {object} Plan
 * @property {number} revision
 * @property {Record<string, string>} problems by field
 * @property {Record<string, string>} warnings
 * @property {(Choice | null)[]} models
 * @property {string} code
 * @property {number} calls
 * @property {string} [tokens]
 * @property {string} [cost]
 * @property {string} [left]
 * @property {string[]} [failures]
 * @property {string[]} [dropped]
 *
 * @typedef {object} Run
 * @property {string} id
 * @property {string} short
 * @property {string} board class of its board
 * @property {number} started_at milliseconds since 1970
 * @property {boolean} done
 * @property {string} words
 * @property {string} rows code that names its rows
 *
 * @typedef {{type: "models", number: number, items: Choice[], says: string}} ModelsMessage
 * @typedef {ModelsMessage | {type: "ran"} | {type: "listed"}} KernelMessage
 *
 * @typedef {{action: "models", query: string, number: number} | {action: "list", provider: string}
 *   | {action: "run", draft: Draft, confirmed: boolean} | {action: "stop"} | {action: "dismiss"}} Action
 */

export {};
