import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import { seededRandom } from "../seeded-random.ts";
import { PickerModel } from "./picker-model.ts";

const SEEDS = 80;
const STEPS = 250;

function swarmOf(seed: number): { model: PickerModel; pieceCount: number } {
  const random = seededRandom(seed);
  const pieceCount = 1 + random.below(70);
  const pieceLength = (1 + random.below(6)) * BLOCK_BYTES;
  const length = pieceCount * pieceLength - random.below(pieceLength - 1);
  const geometry = new Geometry({
    pieceLength,
    files: [{ offset: 0, length, pad: false }],
    aligned: false,
  });
  return { model: new PickerModel(geometry, random), pieceCount };
}

test("whatever peers do, every count is exact and no block is asked twice but in the end game", () => {
  let endGamePicks = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { model, pieceCount } = swarmOf(seed);
    const random = seededRandom(seed + 1_000_000);
    try {
      for (let step = 0; step < STEPS; step += 1) {
        disturb(model, random.below(40), random.below(pieceCount), random);
        model.check();
      }
      finish(model);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    endGamePicks += model.endGamePicks;
  }
  assert.ok(endGamePicks > 100, `the end game was reached (${endGamePicks})`);
});

function disturb(
  model: PickerModel,
  what: number,
  piece: number,
  random: ReturnType<typeof seededRandom>,
): void {
  const { peers } = model;
  const peer = peers[random.below(peers.length)];
  if (peer === undefined || (what === 0 && peers.length < 12)) {
    model.join([0, 30, 60, 99, 100][random.below(5)]!);
    return;
  }
  if (what === 1 && random.below(3) === 0) model.leave(peer);
  else if (what === 2 || what === 3) model.gain(peer, piece);
  else if (what === 4) model.lose(peer, piece);
  else if (what === 5) model.choke(peer);
  else if (what === 6) model.snub(peer);
  else if (what === 7) model.reject(peer);
  else if (what === 8) model.park();
  else if (what === 9 && random.below(4) === 0) model.setPriorities();
  else if (what === 10) model.damage();
  else if (what < 24) model.pick(peer, 1 + random.below(12), random.below(6) > 0);
  else model.deliver(peer, { honest: random.below(8) > 0 });
}

/** However things stand: with an honest peer that has everything the rest is had in bounded steps. */
function finish(model: PickerModel): void {
  model.wantAll();
  for (const peer of model.peers) {
    model.snub(peer);
    model.choke(peer);
  }
  const seed = model.join(100);
  for (let step = 0; step < 2_000 && !model.isComplete; step += 1) {
    model.pick(seed, 8, true);
    model.deliver(seed, { honest: true });
    model.check();
  }
  assert.ok(model.isComplete, "the rest was had from the seed");
}
