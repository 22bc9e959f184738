/**
 * @template {object} P
 * @typedef {import("preact").FunctionComponent<P>} FunctionComponent
 */

import { Component, h } from "preact";

/**
 * A component that is drawn again only when a property is another one: what has not changed in the
 * state keeps its identity.
 * @template {object} P
 * @param {FunctionComponent<P>} component
 * @returns {FunctionComponent<P>}
 */
export function memo(component) {
  /** @extends {Component<P>} */
  class Memo extends Component {
    /** @override @param {Readonly<P>} next */
    shouldComponentUpdate(next) {
      const now = /** @type {P} */ (this.props);
      const names = /** @type {(keyof P)[]} */ (Object.keys(next));
      return names.length !== Object.keys(now).length || names.some((name) => next[name] !== now[name]);
    }

    /** @override */
    render() {
      return h(component, /** @type {any} */ (this.props));
    }
  }
  return /** @type {any} */ (Memo);
}
