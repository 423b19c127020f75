import assert from "node:assert/strict";
import { test } from "node:test";
import { type Log, SILENT_LOG } from "../ports/log.ts";
import { HandClock, HASH, TORRENT, trackerWorld } from "../../test/tracker/tracker-world.ts";
import { RegisteredAdmission } from "./admission.ts";
import { credentialDigest, Keyring } from "./keyring.ts";
import type { KnownPrincipal } from "./principal.ts";
import { type PrincipalChange, PrincipalTotals } from "./principal-totals.ts";

const ANNA: KnownPrincipal = { kind: "member", id: "anna" };
const BEN: KnownPrincipal = { kind: "member", id: "ben" };
const KEYS = new Map([
  ["anna", "annasPasskey0123456789"],
  ["ben", "bensPasskey-0123456789"],
]);
const OTHER = { v1: new Uint8Array(20).fill(0xbb) };
const OTHER_HASH = "%bb".repeat(20);

function memberWorld() {
  const keyring = new Keyring();
  for (const [id, text] of KEYS) {
    keyring.set(credentialDigest({ kind: "passkey", text }), { kind: "member", id });
  }
  const batches: PrincipalChange[][] = [];
  const disk = { broken: false };
  const totals = new PrincipalTotals(
    {
      sums: () => [],
      add: async (changes) => {
        if (disk.broken) throw new Error("disk full");
        batches.push(changes.map((change) => ({ ...change })));
      },
    },
    { log: SILENT_LOG, clock: new HandClock() },
  );
  const world = trackerWorld({
    torrents: [TORRENT, OTHER],
    keyring,
    admission: new RegisteredAdmission(keyring),
    principalTotals: totals,
  });

  /** @param who - Empty means nobody. */
  function say(
    who: string,
    said: { up?: number; down?: number; left?: number; event?: string },
    more: { hash?: string; port?: number; peer?: string; from?: string } = {},
  ): void {
    const { up = 0, down = 0, left = 1000, event = "" } = said;
    const { hash = HASH, port = 1, peer = "-EV0100-abcdefghijkl", from } = more;
    const key = KEYS.get(who);
    const text = world.get(
      `${key === undefined ? "" : `/${key}`}/announce?info_hash=${hash}&peer_id=${peer}&port=${port}` +
        `&uploaded=${up}&downloaded=${down}&left=${left}&event=${event}&compact=1`,
      from,
    );
    assert.doesNotMatch(text, /failure/);
  }
  return { ...world, totals, batches, principalDisk: disk, say };
}

test("a member's counters are summed from announce to announce, and saved in a batch", async () => {
  const world = memberWorld();
  const { say, clock, totals } = world;
  say("anna", { event: "started" });
  clock.pass(720);
  say("anna", { up: 100, down: 600, left: 400 });
  clock.pass(720);
  say("anna", { up: 150, down: 1000, left: 0, event: "completed" });
  clock.pass(1440);
  say("anna", { up: 950, down: 1000, left: 0 });
  const sum = totals.sum(ANNA);
  assert.deepEqual(
    { ...sum, seededS: 0 },
    { completed: 1, uploaded: 950, downloaded: 1000, seededS: 0 },
  );
  assert.ok(Math.abs(sum.seededS - 1440) <= 32, `${sum.seededS} s`);
  assert.deepEqual(world.batches, [], "nothing is written at an announce");
  await totals.flush();
  await totals.flush();
  assert.deepEqual(world.batches, [[{ principal: ANNA, infohash: TORRENT.v1, ...sum }]]);
});

test("a program that restarts counts from zero, whether it says so or not", () => {
  const { say, clock, totals } = memberWorld();
  say("anna", { event: "started" });
  clock.pass(720);
  say("anna", { up: 500 });
  clock.pass(720);
  say("anna", { up: 0, event: "started" });
  clock.pass(720);
  say("anna", { up: 40 });
  assert.equal(totals.sum(ANNA).uploaded, 540);
  clock.pass(720);
  say("anna", { up: 30 });
  assert.equal(totals.sum(ANNA).uploaded, 570, "a counter that fell has restarted");
});

test("TRK-5: a program that lies gets what a line can carry, and its first report counts nothing", () => {
  const { say, clock, totals } = memberWorld();
  const most = Number.MAX_SAFE_INTEGER;
  say("anna", { up: most, down: most });
  assert.deepEqual(totals.sum(ANNA).uploaded, 0, "before it came here");
  say("anna", { up: 0 });
  for (let round = 0; round < 4; round += 1) {
    clock.pass(720);
    say("anna", { up: round % 2 === 0 ? most : 0 });
  }
  assert.ok(totals.sum(ANNA).uploaded <= 4 * 760 * 1_250_000_000, `${totals.sum(ANNA).uploaded}`);
});

test("several swarms, programs and people are counted separately", async () => {
  const world = memberWorld();
  const { say, clock, totals } = world;
  const places = [
    ["anna", {}, 10],
    ["anna", { hash: OTHER_HASH }, 20],
    ["anna", { port: 2, peer: "-EV0100-xxxxxxxxxxxx" }, 40],
    ["ben", { port: 3 }, 80],
    ["", { port: 4 }, 160],
  ] as const;
  for (const [who, place] of places) say(who, { event: "started" }, place);
  clock.pass(720);
  for (const [who, place, up] of places) say(who, { up }, place);
  assert.equal(totals.sum(ANNA).uploaded, 70);
  assert.equal(totals.sum(BEN).uploaded, 80);
  await totals.flush();
  assert.deepEqual(
    world.batches
      .flat()
      .map(({ principal, infohash, uploaded }) => [principal.id, infohash[0], uploaded]),
    [
      ["anna", 0xaa, 50],
      ["anna", 0xbb, 20],
      ["ben", 0xaa, 80],
    ],
  );
  assert.equal(world.tracker.figures(TORRENT).leechers, 4);
});

test("another program at an address and port is not credited with its predecessor's counters", () => {
  const { say, clock, totals } = memberWorld();
  say("anna", { event: "started" });
  clock.pass(720);
  say("ben", { up: 5_000 }, { peer: "-EV0100-xxxxxxxxxxxx" });
  assert.equal(totals.sum(BEN).uploaded, 0);
  clock.pass(720);
  say("ben", { up: 5_007 }, { peer: "-EV0100-xxxxxxxxxxxx" });
  assert.equal(totals.sum(BEN).uploaded, 7);
});

test("seeding time counts for seeds only: not while something is left, not when `left=0` was a magnet link, not past a silence", () => {
  const { say, clock, totals } = memberWorld();
  const seeded = (): number => totals.sum(ANNA).seededS;
  say("anna", { left: 5, event: "started" });
  clock.pass(720);
  say("anna", { left: 0, event: "completed" });
  assert.equal(seeded(), 0);
  clock.pass(720);
  say("anna", { left: 0, event: "stopped" });
  assert.ok(Math.abs(seeded() - 720) <= 32, `${seeded()} s`);
  const before = seeded();
  say("anna", { left: 0, event: "started" }, { port: 9 });
  clock.pass(720);
  say("anna", { left: 7 }, { port: 9 });
  assert.equal(seeded(), before, "a magnet link");
  say("ben", { left: 0, event: "started" }, { port: 10 });
  clock.pass(86_400);
  say("ben", { left: 0 }, { port: 10 });
  assert.equal(totals.sum(BEN).seededS, 0, "it was forgotten meanwhile");
});

test("TRK-17: a failed save is repeated later, with newer changes; the tracker saves each minute and when it stops", async () => {
  const world = memberWorld();
  const { say, clock, totals, tracker, batches } = world;
  tracker.start();
  say("anna", { event: "started" });
  clock.pass(720);
  say("anna", { up: 5 });
  world.principalDisk.broken = true;
  clock.pass(720);
  await totals.flush();
  say("anna", { up: 7 });
  world.principalDisk.broken = false;
  clock.pass(60);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    batches.flat().map(({ uploaded }) => uploaded),
    [7],
  );
  clock.pass(720);
  say("anna", { up: 8 });
  await tracker.stop();
  assert.deepEqual(
    batches.flat().map(({ uploaded }) => uploaded),
    [7, 1],
  );
  assert.equal(totals.sum(ANNA).uploaded, 8);
});

test("a store that fails for long costs no more memory than the bound, and the loss is logged", async () => {
  const warned: string[] = [];
  const log: Log = { ...SILENT_LOG, warn: (message) => void warned.push(message) };
  let broken = true;
  const saved: PrincipalChange[] = [];
  const totals = new PrincipalTotals(
    {
      sums: () => [{ principal: ANNA, completed: 1, uploaded: 2, downloaded: 3, seededS: 4 }],
      add: async (changes) => {
        if (broken) throw new Error("disk full");
        saved.push(...changes);
      },
    },
    { log, clock: new HandClock() },
    3,
  );
  const figures = { completed: 0, uploaded: 1, downloaded: 0, seededS: 0 };
  for (let byte = 0; byte < 10; byte += 1) {
    totals.add({ principal: ANNA, infohash: new Uint8Array(20).fill(byte), ...figures });
    await totals.flush();
  }
  broken = false;
  await totals.flush();
  assert.equal(saved.length, 3);
  assert.equal(totals.sum(ANNA).uploaded, 12, "including earlier saves");
  assert.match(warned.at(-1)!, /lost some totals by torrent/);
});

test("TRK-13: an open tracker treats everybody as nobody, and keeps no totals for them", () => {
  const kept: PrincipalChange[] = [];
  const principalTotals = {
    add: (change: PrincipalChange) => void kept.push(change),
    flush: () => Promise.resolve(),
  };
  const world = trackerWorld({ open: true, principalTotals });
  for (const up of [0, 500]) {
    const text = world.get(
      `/${KEYS.get("anna")}/announce?info_hash=${HASH}&peer_id=-EV0100-abcdefghijkl&port=1&uploaded=${up}&left=0`,
    );
    assert.doesNotMatch(text, /failure/);
    world.clock.pass(720);
  }
  assert.deepEqual(kept, []);
});
