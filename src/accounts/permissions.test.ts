import assert from "node:assert/strict";
import { test } from "node:test";
import { type Action, type Actor, can, STRANGER } from "./permissions.ts";

const user = (role: "admin" | "member", by: (Actor & { kind: "user" })["by"]): Actor => ({
  kind: "user",
  id: "u1",
  name: "ann",
  role,
  by,
});

const ACTIONS: Action[] = [
  "torrent.read",
  "torrent.publish",
  "draft.change",
  "token.change",
  "account.change",
];

const rows: [who: string, actor: Actor, allowed: Action[]][] = [
  ["a stranger", STRANGER, ["torrent.read"]],
  ["a member", user("member", "session"), ["torrent.read", "token.change", "account.change"]],
  ["the administrator", user("admin", "session"), ACTIONS],
  [
    "a publish token",
    user("admin", "publish-token"),
    ["torrent.read", "torrent.publish", "draft.change"],
  ],
  [
    "an admin token",
    user("admin", "admin-token"),
    ["torrent.read", "torrent.publish", "draft.change", "token.change"],
  ],
];
for (const [who, actor, allowed] of rows) {
  test(`HUB-11: ${who} may ${allowed.join(", ")} and nothing else`, () => {
    assert.deepEqual(
      ACTIONS.filter((action) => can(actor, action, { ownerId: "u1" })),
      allowed,
    );
  });
}

test("HUB-11: a draft can be changed by its owner only, and one without an owner by nobody", () => {
  const admin = user("admin", "session");
  assert.ok(!can(admin, "draft.change", { ownerId: "u2" }));
  assert.ok(!can(admin, "draft.change"));
});

test("HUB-11: anything that is not listed is refused", () => {
  assert.ok(!can(user("admin", "session"), "everything" as Action));
});
