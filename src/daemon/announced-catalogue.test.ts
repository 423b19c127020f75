import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../base/bytes.ts";
import { type Infohashes, wireInfohashes } from "../base/infohash.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { AnnouncedCatalogue, type AnnouncedSeeds } from "./announced-catalogue.ts";

interface Published extends Infohashes {
  readonly private: 0 | 1;
}

const PUBLIC = v1(1);
const PRIVATE = { ...v1(2), private: 1 as const };
const HYBRID = { ...v1(3), v2: new Uint8Array(32).fill(33) };

function v1(byte: number): Published {
  return { v1: new Uint8Array(20).fill(byte), private: 0 };
}

/** A catalogue of rows, and what the DHT was told of it. @param others - Seeded here too. */
function world(rows: Set<Published>, others = new Set<Published>()) {
  const told: string[] = [];
  const say = (verb: string, infohashes: Infohashes): void =>
    void told.push(
      `${verb} ${wireInfohashes(infohashes)
        .map((one) => one[0])
        .join()}`,
    );
  /** What a reading of a row waits for. */
  let reading: Promise<void> | undefined;
  const seedsOf = (from: Set<Published>): AnnouncedSeeds => ({
    all: () => [...from].filter((row) => row.private === 0),
    find: async (wire) => {
      const key = toHex(wire);
      const found = [...from].find((row) => wireInfohashes(row).some((one) => toHex(one) === key));
      await reading;
      return found?.private === 0
        ? { ...(found.v1 && { v1: found.v1 }), ...(found.v2 && { v2: found.v2 }) }
        : undefined;
    },
  });
  const [published, kept] = [seedsOf(rows), seedsOf(others)];
  const catalogue = new AnnouncedCatalogue({
    announcer: {
      add: (infohashes) => say("add", infohashes),
      delete: (infohashes) => say("delete", infohashes),
      start: () => told.push("start"),
    },
    seeds: [published, kept],
    clock: new NodeClock(),
    log: SILENT_LOG,
  });
  return {
    catalogue,
    published,
    kept,
    told,
    readUntil: (end: Promise<void>) => void (reading = end),
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test("DHT-7: private torrents are not told: at the start, when published, when restored", async () => {
  const rows = new Set<Published>([PUBLIC, PRIVATE, HYBRID]);
  const { catalogue, published, told, settled } = world(rows);
  await catalogue.start();
  assert.deepEqual(told, ["add 1", "add 3,33", "start"]);
  for (const row of rows) catalogue.handleSeed({ v1: row.v1 });
  await settled();
  assert.deepEqual(told.slice(3), ["add 1", "add 3,33"], "both infohashes, of whichever is told");
  catalogue.handleNoSeed(PRIVATE, published);
  catalogue.handleSeed(v1(9));
  await settled();
  assert.deepEqual(told.slice(5), ["delete 2"], "what has no row is not told either");
});

test("a torrent that is removed while its row, or the whole catalogue, is read is not announced", async () => {
  const rows = new Set<Published>([PUBLIC, HYBRID]);
  const { catalogue, published, told, settled, readUntil } = world(rows);
  let go = (): void => undefined;
  readUntil(new Promise((resolve) => (go = resolve)));
  await catalogue.start();
  catalogue.handleSeed(PUBLIC);
  catalogue.handleNoSeed(PUBLIC, published);
  go();
  await settled();
  assert.deepEqual(told.slice(3), ["delete 1"]);

  const late = world(rows);
  late.catalogue.handleNoSeed(HYBRID, late.published);
  await late.catalogue.start();
  assert.deepEqual(late.told, ["delete 3,33", "add 1", "add 3,33", "delete 3,33", "start"]);
});

test("a torrent that two parts seed is announced until neither does", async () => {
  const [rows, others] = [new Set<Published>([PUBLIC]), new Set<Published>([PUBLIC, HYBRID])];
  const { catalogue, published, kept, told, settled } = world(rows, others);
  await catalogue.start();
  assert.deepEqual(told, ["add 1", "add 1", "add 3,33", "start"]);
  catalogue.handleNoSeed(PUBLIC, published);
  rows.delete(PUBLIC);
  await settled();
  assert.deepEqual(told.splice(0).slice(4), ["delete 1", "add 1"]);
  catalogue.handleNoSeed(PUBLIC, kept);
  others.delete(PUBLIC);
  await settled();
  assert.deepEqual(told, ["delete 1"]);
});
