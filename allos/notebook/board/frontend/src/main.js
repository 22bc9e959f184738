/**
 * What anywidget loads: one store for each widget model, one view for each place that shows it.
 *
 * @import { Model } from "./store.js"
 */

import "./board.css";
import "./box.css";
import "./vote.css";

import { evaluate } from "./later.js";
import { mount } from "./mount.jsx";
import { Store } from "./store.js";

export default () => {
  /** @type {Store} */
  let store;
  return {
    /** @param {{model: Model}} _ */
    initialize({ model }) {
      store = new Store(model, evaluate);
      return () => store.close();
    },
    /** @param {{el: HTMLElement}} _ */
    render: ({ el }) => mount(store, el),
  };
};
