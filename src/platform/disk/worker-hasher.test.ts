import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex } from "../../base/bytes.ts";
import type { DiskFailure, DiskOutcome, Slab } from "../../ports/content.ts";
import type { DigestPlan, PieceDigests, PieceHashing } from "../../ports/hasher.ts";
import { SILENT_LOG } from "../../ports/log.ts";
import { BLOCK } from "./disk-fixture.ts";
import { WorkerHasher } from "./worker-hasher.ts";
import { WorkerPool } from "./worker-pool.ts";

const PLAN: DigestPlan = { v1Bytes: 3 * BLOCK, v2: undefined, blocks: true };

function slabOf(byte: number): Slab {
  const view = new Uint8Array(new SharedArrayBuffer(2 * BLOCK));
  return { view: view.fill(byte) };
}

function feed(hashing: PieceHashing, slab: Slab): Promise<DiskOutcome> {
  return new Promise((resolve) => hashing.feed({ slab, length: 2 * BLOCK, headBytes: 0 }, resolve));
}

function finish(hashing: PieceHashing, slab: Slab): Promise<PieceDigests | DiskFailure> {
  return new Promise((resolve) => hashing.finish({ slab, length: BLOCK, headBytes: 0 }, resolve));
}

test("two pieces hashed in parts at the same time do not mix", async (t) => {
  const pool = new WorkerPool({ workers: 1, openFilesMax: 1, log: SILENT_LOG });
  t.after(() => pool.close());
  const hasher = new WorkerHasher(pool);
  const pieces = [1, 2, 3].map((byte) => ({ slab: slabOf(byte), hashing: hasher.begin(PLAN) }));
  await Promise.all(pieces.map(({ hashing, slab }) => feed(hashing, slab)));
  pieces.pop()!.hashing.cancel();
  for (const [index, { hashing, slab }] of pieces.entries()) {
    const found = await finish(hashing, slab);
    assert.ok(!("kind" in found));
    const expected = createHash("sha1")
      .update(Buffer.alloc(3 * BLOCK, index + 1))
      .digest("hex");
    assert.equal(toHex(found.v1!), expected);
    assert.equal(found.blocks?.length, 3 * 20);
  }
});

test("a piece whose first part died with its thread is a failure; a new one is hashed", async (t) => {
  const pool = new WorkerPool({ workers: 1, openFilesMax: 1, log: SILENT_LOG });
  t.after(() => pool.close());
  const hasher = new WorkerHasher(pool);
  const slab = slabOf(7);
  const hashing = hasher.begin(PLAN);
  assert.deepEqual(await feed(hashing, slab), { kind: "done" });
  // Memory that was never announced is a bug of ours, and ends the worker.
  const source = { target: { arena: 99, offset: 0, length: 1 }, headBytes: 0 };
  const part = { source, length: 1, isLast: true };
  await new Promise((resolve) => pool.postHash(0, { hashing: 99, plan: PLAN, part }, resolve));
  const failed = await finish(hashing, slab);
  assert.equal("code" in failed && failed.code, "EIO");
  assert.ok(!("code" in (await finish(hasher.begin(PLAN), slab))));
});

test("a closed pool hashes nothing, and says so", async () => {
  const pool = new WorkerPool({ workers: 1, openFilesMax: 1, log: SILENT_LOG });
  await pool.close();
  const found = await finish(new WorkerHasher(pool).begin(PLAN), slabOf(1));
  assert.equal("code" in found && found.code, "EBADF");
});
