/** What JSX becomes, for the bundler. */

export { Fragment, h } from "preact";
