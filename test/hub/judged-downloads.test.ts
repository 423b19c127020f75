import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { hubWorld } from "./hub-world.ts";

const PIECE = 16_384;
const CONTENT = Uint8Array.from(
  { length: 200_000 },
  (_, index) => (index * 31 + (index >> 8)) % 251,
);
const BROKEN = 150_000;
const BROKEN_PIECE = Math.floor(BROKEN / PIECE);
const NONE: ReadonlySet<number> = new Set();

async function worldWith(t: TestContext, kind: "v1" | "v2" = "v1") {
  const world = await hubWorld(t);
  const id = await world.publish(
    { "one.bin": CONTENT, "two.bin": CONTENT },
    {
      kind,
      pieceSize: PIECE,
    },
  );
  const { location } = (await world.parts.catalogue.file(id, 0))!;
  const harm = (): void => world.disk.poke(location, BROKEN, new Uint8Array([1, 2, 3, 4]));
  const mend = (): void => world.disk.poke(location, BROKEN, CONTENT.subarray(BROKEN, BROKEN + 4));
  const { name } = (await world.parts.catalogue.find(id))!;
  const paths = [`/t/${id}/files/0/one.bin`, `/t/${id}/seed/${name}/one.bin`];
  return { ...world, id, harm, mend, paths };
}

const bodyOf = async (response: Response): Promise<Uint8Array> =>
  new Uint8Array(await response.arrayBuffer());

for (const kind of ["v1", "v2"] as const) {
  test(`HUB-19: a ${kind} file that was changed on the disk is not served by any download or web seed`, async (t) => {
    const world = await worldWith(t, kind);
    world.harm();
    for (const path of world.paths) {
      const whole = await world.call(path);
      assert.equal(whole.status, 200, "its beginning is good");
      await assert.rejects(bodyOf(whole), "the answer is cut");
      const part = await world.call(path, { headers: { range: "bytes=0-99999" } });
      assert.equal(part.status, 206);
      assert.deepEqual(await bodyOf(part), CONTENT.slice(0, 100_000));
      for (const range of [`bytes=${BROKEN}-${BROKEN}`, "bytes=140000-", "bytes=-60000"]) {
        const damaged = await world.call(path, { headers: { range } });
        assert.equal(damaged.status, 500, range);
        assert.match(await damaged.text(), /Publishing the same files again repairs it/);
      }
    }
    assert.ok(
      world.judged.some(({ piece, intact }) => piece === BROKEN_PIECE && !intact),
      "told",
    );
    assert.ok(world.lookedAt.length > 0, "and looked at");
    const other = await world.call(`/t/${world.id}/files/1/two.bin`);
    assert.deepEqual(await bodyOf(other), CONTENT, "the other file is not harmed");
    world.mend();
    assert.deepEqual(await bodyOf(await world.call(world.paths[0]!)), CONTENT);
  });
}

test("HUB-19: known damage is refused before any byte is sent, and only as long as it lasts", async (t) => {
  const world = await worldWith(t);
  const [path] = world.paths;
  world.harm();
  world.damage.now = {
    words: "1 of 25 pieces is damaged.",
    all: false,
    lostFiles: NONE,
    lostPieces: new Set([BROKEN_PIECE]),
  };
  for (const method of ["GET", "HEAD"]) {
    assert.equal((await world.call(path!, { method })).status, 500, method);
  }
  const part = await world.call(path!, { headers: { range: "bytes=0-9" } });
  assert.deepEqual(await bodyOf(part), CONTENT.slice(0, 10), "what is good is given");
  world.mend();
  world.judged.length = 0;
  assert.deepEqual(await bodyOf(await world.call(path!)), CONTENT);
  assert.ok(
    world.judged.some(({ piece, intact }) => piece === BROKEN_PIECE && intact),
    "told",
  );
});

test("HUB-19: a judged file is believed until somebody writes to it, even for ranges", async (t) => {
  const world = await worldWith(t);
  const [path] = world.paths;
  const start = world.clock.wall;
  assert.deepEqual(await bodyOf(await world.call(path!)), CONTENT);
  const countOf = (piece: number): number =>
    world.judged.filter((judged) => judged.piece === piece).length;
  for (const laterMs of [500, 5_000, 60_000]) {
    world.clock.wall = start + laterMs;
    assert.deepEqual(await bodyOf(await world.call(path!)), CONTENT);
  }
  assert.equal(countOf(BROKEN_PIECE), 1, "it is compared once");
  world.clock.wall = start + 70_000;
  world.disk.lastWriteMs = world.clock.wall;
  world.harm();
  world.clock.wall = start + 72_000;
  const range = { range: `bytes=${BROKEN - 10}-` };
  assert.equal((await world.call(path!, { headers: range })).status, 500);
  assert.equal(countOf(BROKEN_PIECE), 2);
  const first = await world.call(path!, { headers: { range: "bytes=0-0" } });
  assert.deepEqual(await bodyOf(first), CONTENT.slice(0, 1));
});
