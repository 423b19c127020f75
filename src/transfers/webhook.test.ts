import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { MemoryFiles } from "../sim/memory-files.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { TRANSFER_EVENTS, type TransferEvent, type TransferEventKind } from "./transfer-events.ts";
import { Webhook } from "./webhook.ts";

const SECRET = new TextEncoder().encode("a secret of the owner");
const PATH = "/state/transfers/webhook.json";

/** Time passes when the test says so. */
class HandClock implements Clock {
  now = 1_000_000;
  readonly #timers = new Map<object, { readonly atMs: number; readonly fire: () => void }>();
  nowMs = () => this.now;
  wallMs = () => this.now;
  startTimer(delayMs: number, fire: () => void) {
    const key = {};
    this.#timers.set(key, { atMs: this.now + delayMs, fire });
    return { cancel: () => void this.#timers.delete(key) };
  }
  async pass(ms: number): Promise<void> {
    const endMs = this.now + ms;
    for (;;) {
      await setImmediate();
      const [next] = [...this.#timers].toSorted(([, a], [, b]) => a.atMs - b.atMs);
      if (!next || next[1].atMs > endMs) break;
      this.now = next[1].atMs;
      this.#timers.delete(next[0]);
      next[1].fire();
    }
    this.now = endMs;
    await setImmediate();
  }
}

interface Posted {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function hook(options: {
  readonly files?: MemoryFiles;
  readonly clock?: HandClock;
  readonly events?: readonly TransferEventKind[];
  readonly answer: () => number | Error;
}) {
  const { files = new MemoryFiles(), clock = new HandClock(), events = TRANSFER_EVENTS } = options;
  const posted: Posted[] = [];
  const told: string[] = [];
  const tell = (message: string): void => void told.push(message);
  const webhook = new Webhook({
    secret: SECRET,
    events: new Set(events),
    post: async (body, headers) => {
      posted.push({ body: new TextDecoder().decode(body), headers });
      const answer = options.answer();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    files,
    path: PATH,
    clock,
    random: seededRandom(posted.length + clock.now),
    log: { ...SILENT_LOG, warn: tell, error: tell },
  });
  return { webhook, posted, told, clock, files };
}

function event(kind: TransferEventKind, id = "a".repeat(40)): TransferEvent {
  return {
    kind,
    id,
    infohashes: { v1: new Uint8Array(20).fill(0xaa) },
    name: 'a "name"\n\u0000-x',
    folder: "/srv",
    path: "/srv/a",
    label: "films",
    size: 7,
    message: undefined,
  };
}

test("a delivery is signed JSON of what happened, and only of what is asked for", async () => {
  const { webhook, posted, clock } = hook({ answer: () => 204, events: ["finished"] });
  await webhook.begin();
  webhook.handle(event("added"));
  webhook.handle(event("finished"));
  await clock.pass(1);
  assert.equal(posted.length, 1);
  const [{ body, headers }] = posted as [Posted];
  const { transfer, ...rest } = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(transfer, {
    id: "a".repeat(40),
    infohashV1: "aa".repeat(20),
    infohashV2: null,
    name: 'a "name"\n\u0000-x',
    folder: "/srv",
    path: "/srv/a",
    label: "films",
    size: 7,
    cause: null,
  });
  assert.deepEqual(rest, {
    event: "finished",
    delivery: headers["x-everseed-delivery"],
    at: "1970-01-01T00:16:40Z",
  });
  const mac = createHmac("sha256", SECRET).update(body).digest("hex");
  assert.equal(headers["x-everseed-signature"], `sha256=${mac}`);
  await webhook.close();
});

test("a server that is away is asked again, more and more seldom, in the order of what happened", async () => {
  let isAway = true;
  const answer = (): number | Error => (isAway ? new Error("refused") : 200);
  const { webhook, posted, told, clock } = hook({ answer });
  await webhook.begin();
  for (const kind of ["added", "finished", "removed"] as const) webhook.handle(event(kind));
  await clock.pass(3_600_000);
  assert.ok(posted.length >= 5 && posted.length <= 8, `${posted.length} tries in an hour`);
  assert.equal(told.length, 1, told.join("\n"));
  isAway = false;
  posted.length = 0;
  await clock.pass(1_800_000);
  assert.deepEqual(
    posted.map(({ headers }) => headers["x-everseed-event"]),
    ["added", "finished", "removed"],
  );
  await webhook.close();
});

test("what waits survives a restart, also one by a kill; a damaged file costs no start", async () => {
  const first = hook({ answer: () => new Error("away") });
  await first.webhook.begin();
  first.webhook.handle(event("finished"));
  // Killed: nobody closes it.
  await first.clock.pass(2_000);
  const { files } = first;
  const second = hook({ answer: () => 200, files, clock: new HandClock() });
  await second.webhook.begin();
  await second.clock.pass(10);
  const id = first.posted[0]!.headers["x-everseed-delivery"];
  assert.deepEqual(
    second.posted.map(({ headers }) => headers["x-everseed-delivery"]),
    [id],
  );
  await second.webhook.close();
  const third = hook({ answer: () => 200, files });
  await third.webhook.begin();
  await third.clock.pass(10);
  assert.equal(third.posted.length, 0);
  await third.webhook.close();

  for (const text of ["{", "[1]", '[{"id":"x"}]', "null"]) {
    await files.write(PATH, new TextEncoder().encode(text));
    const damaged = hook({ answer: () => 200, files });
    await damaged.webhook.begin();
    await damaged.clock.pass(10);
    assert.equal(damaged.posted.length, 0);
    await damaged.webhook.close();
  }
});

test("a delivery that is refused or too old is given up, and the next one gets its turn", async () => {
  let status = 400;
  const refused = hook({ answer: () => status });
  await refused.webhook.begin();
  refused.webhook.handle(event("added"));
  refused.webhook.handle(event("finished"));
  await refused.clock.pass(200_000);
  status = 200;
  await refused.clock.pass(3_600_000);
  const kinds = refused.posted.map(({ headers }) => headers["x-everseed-event"]);
  assert.equal(kinds.filter((kind) => kind === "added").length, 3);
  assert.equal(kinds.at(-1), "finished");
  await refused.webhook.close();

  // A redirect is an answer, and never followed.
  const away = hook({ answer: () => 302 });
  await away.webhook.begin();
  away.webhook.handle(event("added"));
  await away.clock.pass(3_600_000);
  assert.equal(away.posted.length, 3);
  await away.webhook.close();

  const old = hook({ answer: () => 503 });
  await old.webhook.begin();
  old.webhook.handle(event("added"));
  await old.clock.pass(30 * 3_600_000);
  const tries = old.posted.length;
  await old.clock.pass(30 * 3_600_000);
  assert.equal(old.posted.length, tries);
  assert.ok(tries < 60, `${tries} tries`);
  await old.webhook.close();
});

test("ten thousand events while the server is away cost a bounded queue, and the newest stay", async () => {
  let isAway = true;
  const answer = (): number | Error => (isAway ? new Error("away") : 200);
  const { webhook, posted, clock } = hook({ answer });
  await webhook.begin();
  for (let index = 0; index < 10_000; index += 1) webhook.handle(event("added", String(index)));
  await clock.pass(2_000);
  isAway = false;
  posted.length = 0;
  await clock.pass(60_000);
  assert.equal(posted.length, 1_000);
  const ids = posted.map(
    ({ body }) => (JSON.parse(body) as { transfer: { id: string } }).transfer.id,
  );
  assert.deepEqual([ids[0], ids.at(-1)], ["9000", "9999"]);
  await webhook.close();
});
