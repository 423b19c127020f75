import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import type { ByteStore, DiskOutcome, FileWatch } from "../../ports/content.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import type { ResumeState } from "../session-contract.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { FilesOutput } from "./files-output.ts";

const FAILURE = { kind: "failure", code: "EIO", message: "it broke", path: "/x" } as const;

class World {
  readonly syncs: ((outcome: DiskOutcome) => void)[] = [];
  /** The reported state of the files that are claimed. */
  atPlace = true;
  readonly saved: ResumeState[] = [];
  readonly outputs = new OutputQueue<FilesOutput>();
  pieces = 0;
  readonly keeper: ResumeKeeper;

  constructor() {
    const bytes: Pick<ByteStore, "sync"> = { sync: (onDone) => this.syncs.push(onDone) };
    const watch: Pick<FileWatch, "stamp"> = { stamp: (onDone) => onDone([]) };
    this.keeper = new ResumeKeeper({
      bytes,
      watch,
      clock: { nowMs: () => 0, wallMs: () => 77, startTimer: () => ({ cancel: () => undefined }) },
      intervalMs: 1_000,
      collect: () => {
        const have = new Bitfield(8);
        for (let piece = 0; piece < this.pieces; piece += 1) have.add(piece);
        return { have, partial: [], uploaded: 0, downloaded: 0 };
      },
      isAtPlace: () => this.atPlace,
      save: (resume) => this.saved.push(resume),
      outputs: this.outputs,
    });
  }

  add(): void {
    this.pieces += 1;
    this.keeper.touch();
  }

  /** What the disk refused since the last call. */
  refused(): string[] {
    const codes: string[] = [];
    for (let next = this.outputs.next(); next; next = this.outputs.next()) {
      if (next.kind === "refused") codes.push(next.failure.code);
      else assert.fail(next.kind);
    }
    return codes;
  }

  endSync(outcome: DiskOutcome = { kind: "done" }): void {
    this.syncs.shift()!(outcome);
  }
}

test("nothing is saved when nothing changed, nor too early, nor twice at once", async () => {
  const world = new World();
  const { keeper, syncs, saved } = world;
  keeper.tick(5_000);
  assert.equal(syncs.length, 0);
  keeper.touch();
  keeper.tick(999);
  assert.equal(syncs.length, 0);
  keeper.tick(1_000);
  keeper.touch();
  keeper.tick(9_000);
  assert.equal(syncs.length, 1);
  assert.equal(saved.length + world.refused().length, 0);
  await new World().keeper.finish();
});

test("STO-2: data that arrived after the sync began is not claimed", () => {
  const world = new World();
  world.add();
  world.keeper.tick(1_000);
  world.add();
  world.endSync();
  assert.deepEqual(
    world.saved.map(({ have, clean, savedAtMs }) => [have.count, clean, savedAtMs]),
    [[1, false, 77]],
  );
});

test("a failed sync saves nothing, and is tried again", () => {
  const world = new World();
  world.add();
  world.keeper.tick(1_000);
  world.endSync(FAILURE);
  assert.deepEqual([world.saved.length, world.refused()], [0, ["EIO"]]);
  world.keeper.tick(2_000);
  world.endSync();
  assert.equal(world.saved.length, 1);
});

test("STO-13: the last state is orderly, also when nothing changed after the one before", async () => {
  const world = new World();
  world.add();
  world.keeper.tick(1_000);
  world.endSync();
  const end = world.keeper.finish();
  world.endSync();
  await end;
  assert.deepEqual(
    world.saved.map(({ clean }) => clean),
    [false, true],
  );
});

test("STO-13: the last state is orderly, even when one is being saved; a failing disk does not delay it", async () => {
  const world = new World();
  world.add();
  world.keeper.tick(1_000);
  const end = world.keeper.finish();
  world.endSync();
  world.endSync();
  await end;
  assert.deepEqual(
    world.saved.map(({ clean }) => clean),
    [false, true],
  );
  await world.keeper.finish();
  assert.equal(world.saved.length, 2, "an orderly state is not saved again");
  world.add();
  const failing = world.keeper.finish();
  world.endSync(FAILURE);
  await failing;
  assert.equal(world.saved.length, 2);
});
