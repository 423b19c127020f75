import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertSameBytes } from "../../../test/fixtures/same-bytes.ts";
import { type Log, SILENT_LOG } from "../../ports/log.ts";
import { BLOCK, makeFixture, temporaryFolder } from "./disk-fixture.ts";
import type { DiskOutcomeMessage, DiskTask } from "./disk-job.ts";
import { DIRTY, shareLayout } from "./shared-layout.ts";
import { WorkerPool } from "./worker-pool.ts";

test("a worker that dies is reported, its jobs fail as values, and the next one takes over", async (t) => {
  const root = temporaryFolder(t);
  const errors: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (message) => errors.push(message) };
  const pool = new WorkerPool({ workers: 1, openFilesMax: 10, log });
  const { layout, space } = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK * 2 }]);
  const content = pool.register(shareLayout(layout));
  const run = (task: DiskTask): Promise<DiskOutcomeMessage> =>
    new Promise((onOutcome) => pool.post(0, content, task, { onOutcome }));
  const memory = new Uint8Array(new SharedArrayBuffer(BLOCK));
  memory.set(space.subarray(0, BLOCK));
  const store = (): Promise<DiskOutcomeMessage> => {
    const source = pool.memoryRun(0, memory);
    return run({ kind: "store", piece: 0, source, digests: false });
  };
  assert.equal((await store()).kind, "intact");

  // Memory that was never announced is a bug of ours, and ends the worker.
  const source = { arena: 99, offset: 0, length: 1 };
  const deadly: DiskTask = { kind: "write", piece: 0, begin: 0, source };
  const outcomes = await Promise.all([
    run(deadly),
    run({ kind: "verify", piece: 0, digests: false, frames: undefined }),
  ]);
  for (const outcome of outcomes) {
    assert.ok(outcome.kind === "failure" && outcome.code === "EIO" && outcome.path === root);
  }
  assert.equal(errors.length, 1);

  assert.equal((await store()).kind, "intact");
  assert.equal(
    Atomics.load(content.layout.state, 0) & DIRTY,
    DIRTY,
    "the record of unsynced writes survives",
  );
  assert.deepEqual(await run({ kind: "sync", part: 0, parts: 1 }), { kind: "done" });
  assert.equal(Atomics.load(content.layout.state, 0) & DIRTY, 0);
  assertSameBytes(readFileSync(join(root, "f")), space.slice(0, BLOCK));
  await pool.close();
  const late = await run({ kind: "stamp" });
  assert.ok(late.kind === "failure" && late.code === "EBADF");
});

test("workers forget dropped memory, and it can be announced again", async (t) => {
  const root = temporaryFolder(t);
  const pool = new WorkerPool({ workers: 1, openFilesMax: 10, log: SILENT_LOG });
  t.after(() => pool.close());
  const { layout, space } = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK }]);
  const content = pool.register(shareLayout(layout));
  const memory = new SharedArrayBuffer(BLOCK);
  new Uint8Array(memory).set(space.subarray(0, BLOCK));
  const arenas: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    const source = pool.memoryRun(0, new Uint8Array(memory));
    arenas.push(source.arena);
    const task: DiskTask = { kind: "store", piece: 0, source, digests: false };
    const outcome = await new Promise<DiskOutcomeMessage>((onOutcome) =>
      pool.post(0, content, task, { onOutcome }),
    );
    assert.equal(outcome.kind, "intact");
    pool.dropMemory(memory);
  }
  assert.notEqual(arenas[0], arenas[1]);
});
