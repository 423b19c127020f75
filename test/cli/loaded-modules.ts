import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

/** Preloaded by a test: writes the URL of each module that the main thread loads to a file. */
const list = process.env["EVERSEED_TEST_LOADED"];
if (list !== undefined && isMainThread) {
  registerHooks({
    load(url, context, nextLoad) {
      appendFileSync(list, `${url}\n`);
      return nextLoad(url, context);
    },
  });
}
