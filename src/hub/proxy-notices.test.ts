import assert from "node:assert/strict";
import { test } from "node:test";
import { SILENT_LOG } from "../ports/log.ts";
import { unnamedProxyNotice, warnOfUnnamedProxy } from "./proxy-notices.ts";

function noted() {
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  return { lines, log: { ...SILENT_LOG, warn: note, error: note } };
}

for (const [what, publicUrl, proxies, warns] of [
  ["no public address", undefined, [], false],
  ["HTTPS and no proxy", "https://hub.test", [], true],
  ["another port and no proxy", "http://hub.test", [], true],
  ["HTTP at the server's own port", "http://hub.test:8420", [], false],
  ["a named proxy", "https://hub.test", ["127.0.0.1"], false],
] as const) {
  test(`${what}: ${warns ? "a warning at the start" : "nothing to say"}`, () => {
    const { lines, log } = noted();
    warnOfUnnamedProxy({ publicUrl, proxies }, 8420, log);
    assert.equal(lines.length, warns ? 1 : 0);
    if (warns) assert.match(lines[0]!, /try: proxies: \[127\.0\.0\.1\]$/);
  });
}

test("an unnamed proxy is logged once, with its address and what to write", () => {
  const { lines, log } = noted();
  const notice = unnamedProxyNotice(log);
  notice("192.0.2.1");
  notice("192.0.2.2");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^a proxy at 192\.0\.2\.1 .* Try: proxies: \[192\.0\.2\.1\]$/);
});
