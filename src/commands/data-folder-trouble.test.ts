import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "./command-error.ts";
import { closedFileTrouble, databaseTrouble, refuseForeignHub } from "./data-folder-trouble.ts";

test("files that are closed to the hub are told in words, and nothing else is", () => {
  const closed = Object.assign(new Error("EACCES: permission denied, open 'swarms'"), {
    code: "EACCES",
  });
  const told = closedFileTrouble(closed, "/srv/hub", 1000);
  assert.ok(told instanceof CommandError);
  assert.equal(told.code, "not-readable");
  assert.match(told.detail, /^Some files in \/srv\/hub are closed to this user\./);
  assert.match(told.hint ?? "", /^as root: chown -R 1000 \/srv\/hub$/);
  const other = new Error("ours");
  assert.equal(closedFileTrouble(other, "/srv/hub", 1000), other);
});

for (const [user, owner, isRefused] of [
  [0, 65_534, true],
  [0, 0, false],
  [0, undefined, false],
  [1000, 65_534, false],
  [undefined, 65_534, false],
] as const) {
  test(`user ${user} ${isRefused ? "does not start" : "starts"} a hub of user ${owner}`, () => {
    const start = (): void => refuseForeignHub("/srv/hub", { user, owner });
    if (isRefused) assert.throws(start, { code: "not-allowed", detail: /another user \(65534\)/ });
    else start();
  });
}

for (const [fault, code] of [
  ["unreadable", "corrupt"],
  ["newer-schema", "corrupt"],
  ["older-schema", "data-in-use"],
  ["disk-full", "disk-full"],
  ["read-only", "not-writable"],
] as const) {
  test(`a database that is ${fault} ends a start with ${code}, what and what to do`, () => {
    const cause = new Error(fault);
    const trouble = databaseTrouble(fault, "/srv/hub", cause);
    assert.equal(trouble.code, code);
    assert.match(trouble.detail, /\/srv\/hub/);
    assert.match(trouble.subject ?? "", /^\/srv\/hub\/everseed\.db$/);
    assert.ok(trouble.hint);
    assert.equal(trouble.cause, cause);
  });
}
