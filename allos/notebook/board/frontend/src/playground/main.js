/**
 * What anywidget loads for a playground: one store for each widget model, one view for each place.
 *
 * @import { Model } from "./store.js"
 */

import "../box.css";
import "./playground.css";

import { mount } from "./mount.jsx";
import { Store } from "./store.js";

export default () => {
  /** @type {Store} */
  let store;
  return {
    /** @param {{model: Model}} _ */
    initialize({ model }) {
      store = new Store(model);
      return () => store.close();
    },
    /** @param {{el: HTMLElement}} _ */
    render: ({ el }) => mount(store, el),
  };
};
