import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openStore } from "../store/open-store.ts";
import { SetupLink } from "./setup-link.ts";

const random = {
  below: (bound: number) => Math.floor(Math.random() * bound),
  bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
};

async function world(t: TestContext) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  const clock = {
    wall: 1_000_000_000,
    nowMs: () => 0,
    wallMs: () => clock.wall,
    startTimer: () => ({ cancel: () => undefined }),
  };
  return { clock, link: new SetupLink(store.settings, clock), random, store };
}

test("HUB-35: of ten simultaneous uses of a link, one succeeds", async (t) => {
  const { link, random } = await world(t);
  const key = await link.make(random);
  assert.ok(await link.accepts(key));
  const uses = await Promise.all(Array.from({ length: 10 }, () => link.use(key)));
  assert.equal(uses.filter((used) => used).length, 1);
  assert.equal(await link.accepts(key), false);
  assert.equal(await link.use(key), false);
});

test("HUB-35: a key that is replaced after it was accepted has no effect", async (t) => {
  const { link, random } = await world(t);
  const older = await link.make(random);
  assert.ok(await link.accepts(older));
  const newer = await link.make(random);
  assert.equal(await link.use(older), false);
  assert.ok(await link.accepts(newer));
  assert.equal(await link.use(newer), true);
});

test("HUB-35: a key expires after 30 minutes, also between check and use, and when the clock was set back", async (t) => {
  const { clock, link, random, store } = await world(t);
  const key = await link.make(random);
  assert.ok(await link.accepts(key));
  clock.wall += 30 * 60_000;
  assert.equal(await link.use(key), false);
  clock.wall -= 60 * 60_000;
  assert.equal(await link.accepts(key), false);
  assert.equal(await link.isOpen(), false);
  const stored = JSON.stringify(await store.settings.get("setup-link"));
  assert.ok(!stored.includes(key), "only its digest is stored");
});
