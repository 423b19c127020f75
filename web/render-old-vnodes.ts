import { options } from "preact";

/**
 * preact-render-to-string 6.8.0 knows an element by `constructor: undefined`, as Preact 10 made it;
 * Preact 11 marks it with a symbol, and 6.8.0 then renders nothing. Version 6.8.2 knows both: this
 * file goes when it is installed. On the server only; the browser's Preact needs its own mark.
 */
options.vnode = (vnode) => {
  const marked: { constructor: unknown } = vnode;
  marked.constructor = undefined;
};
