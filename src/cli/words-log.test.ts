import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsLog } from "./words-log.ts";

test("HUB-34: each log entry is one line, and outside text cannot forge a field", () => {
  const lines: string[] = [];
  const log = wordsLog((line) => lines.push(line), "info");
  log.debug("not this");
  log.info("a sign-in failed", { address: "192.0.2.7", why: "wrong name or password" });
  log.warn("a download broke off", { why: 'x address=198.51.100.1 who="root"', count: 3 });
  log.info("a torrent was removed", { by: "Ann byId=1", byId: "2" });
  log.error("bad", { paths: ["a"], nothing: undefined });
  assert.deepEqual(lines, [
    "a sign-in failed address=192.0.2.7 why=wrong name or password",
    'a download broke off why="x address=198.51.100.1 who=\\"root\\"" count=3',
    'a torrent was removed by="Ann byId=1" byId=2',
    'bad paths=["a"] nothing=',
  ]);
});
