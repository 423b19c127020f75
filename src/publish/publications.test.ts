import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  bytes,
  CONTENTS,
  type Contents,
  declaration,
  hexes,
  hub,
  inOrder,
  world,
} from "../../test/fixtures/publish-world.ts";
import type { Declaration } from "./draft-plan.ts";

const DAY_MS = 86_400_000;

type Running = ReturnType<typeof hub>;

async function publish(
  { publisher }: Running,
  contents: Contents = CONTENTS,
  more: Partial<Declaration> = {},
  owner = "ann",
): Promise<string> {
  const declared = await publisher.declare(owner, declaration(contents, more));
  const { id, state } = declared.draft;
  if (state !== "published") await publisher.receive(id, 0, inOrder(contents, declared.order));
  const { torrentId } = (await publisher.find(id))!;
  return torrentId!;
}

async function found({ catalogue }: Running, query: string): Promise<string[]> {
  const { listings } = await catalogue.search({ query, limit: 50, offset: 0 });
  return listings.map(({ id }) => id);
}

async function assertWhole(
  { catalogue }: Running,
  all: Awaited<ReturnType<typeof world>>,
  id: string,
  contents: Contents = CONTENTS,
): Promise<void> {
  const files = (await catalogue.files(id))!.slice(0, Infinity);
  assert.equal(files.length, Object.keys(contents).length);
  for (const { index, path } of files) {
    const { location } = (await catalogue.file(id, index))!;
    assert.deepEqual(all.disk.bytes(location), contents[path], path);
  }
}

test("a change of title and description changes the search words, and nothing else", async (t) => {
  const all = await world(t);
  const running = hub(all);
  const id = await publish(running, CONTENTS, { comment: "harbour" });
  const before = (await running.catalogue.find(id))!;
  const revision = running.catalogue.revision;
  await running.publications.edit(id, { name: 'Tides: "high"?', comment: "ebb" });
  const after = (await running.catalogue.find(id))!;
  assert.deepEqual(after, { ...before, name: 'Tides: "high"?', comment: "ebb" });
  assert.notEqual(running.catalogue.revision, revision);
  for (const [query, count] of [
    ["tides", 1],
    ["ebb", 1],
    ["two.bin", 1],
    ["talks", 1],
    ["harbour", 0],
  ] as const) {
    assert.equal((await found(running, query)).length, count, query);
  }
  const file = await running.catalogue.torrentFile(after, { trackers: [], webSeeds: [] });
  assert.ok(Buffer.from(file!).includes("7:comment3:ebb"));
  await running.publications.edit(id, { name: "x", comment: null });
  assert.equal((await running.catalogue.find(id))!.comment, null);
  const nowhere = running.publications.edit("nowhere", { name: "x", comment: null });
  await assert.rejects(nowhere, { code: "not-found" });
});

test("HUB-18: a removed torrent is nowhere, keeps its bytes, and comes back unchanged", async (t) => {
  const all = await world(t);
  const running = hub(all);
  const id = await publish(running);
  const other = await publish(running, { z: bytes(10, 9) }, { name: "other" });
  const before = await running.catalogue.find(id);
  const paths = all.disk.paths;
  const removal = await running.publications.remove(id, "bob");
  assert.equal(removal.title, "talks");
  assert.equal(removal.undoUntilMs, all.clock.wall + 7 * DAY_MS);
  assert.equal(await running.catalogue.find(id), undefined);
  assert.equal(await running.catalogue.metainfo(id), undefined);
  assert.deepEqual(await found(running, "talks"), []);
  assert.deepEqual(await found(running, ""), [other]);
  assert.deepEqual(await running.catalogue.totals(), { torrents: 1, bytes: 10 });
  for (const infohash of hexes(before!.infohashes)) {
    const bytes = new Uint8Array(Buffer.from(infohash, "hex"));
    assert.equal(
      await all.store.torrents.findByWire(bytes),
      undefined,
      "the everseed does not have it any more",
    );
  }
  assert.equal(all.registered.length, 1);
  assert.deepEqual(all.released, [id]);
  assert.deepEqual(all.disk.paths, paths);
  await assert.rejects(running.publications.remove(id, "bob"), { code: "not-found" });

  await running.publications.restore(id);
  assert.deepEqual(await running.catalogue.find(id), before);
  assert.deepEqual(await found(running, ""), [other, id], "where it stood");
  assert.deepEqual(await found(running, "two.bin"), [id]);
  assert.deepEqual(await running.catalogue.totals(), { torrents: 2, bytes: 10 + before!.size });
  assert.equal(all.registered.length, 2);
  assert.equal(await running.publications.findRemoved(id), undefined);
  await assert.rejects(running.publications.restore(id), { code: "not-found" });
  await assertWhole(running, all, id);
});

test("HUB-18: after seven days it is deleted with its bytes, and its address says so", async (t) => {
  const all = await world(t);
  const id = await publish(hub(all), CONTENTS, { name: "secret plans" });
  await hub(all).publications.remove(id, "ann");
  all.clock.wall += 7 * DAY_MS - 1;
  const before = hub(all);
  await before.publications.start();
  assert.ok(all.disk.paths.length > 0);
  await before.publications.restore(id);
  await before.publications.remove(id, "ann");
  all.clock.wall += 7 * DAY_MS;
  const late = hub(all);
  await assert.rejects(late.publications.restore(id), { code: "not-found" });
  await late.publications.start();
  assert.deepEqual(all.disk.paths, []);
  const removal = await late.publications.findRemoved(id);
  assert.deepEqual([removal?.title, removal?.undoUntilMs], [null, null]);
  const rows = await all.store.db.selectFrom("removed_torrents").selectAll().execute();
  assert.doesNotMatch(JSON.stringify(rows), /secret|two\.bin/);
  // The id stays taken and is never reused.
  assert.equal((await all.store.drafts.find(id))?.torrent_id, id);
});

test("HUB-18: files that another torrent uses and folders of owners are kept", async (t) => {
  const all = await world(t);
  const running = hub(all);
  const large = bytes(100_000, 5);
  const [one, two, three] = [
    await publish(running, { "big.bin": large, x: bytes(9, 1) }),
    await publish(running, { "other name": large }),
    await publish(running, { elsewhere: bytes(70, 3) }),
  ];
  const location = async (id: string) => (await running.catalogue.file(id, 0))!.location;
  const kept = await location(two);
  await all.disk.replaceByLink(await location(one), kept);
  await all.store.fileCopies.put({ path: kept.slice(6), size: 1, sample: new Uint8Array(1) });
  const foreign = "/data/in-place/films/elsewhere";
  await all.disk.write(foreign, bytes(70, 3));
  await all.store.db
    .updateTable("torrents")
    .set({ content_path: "in-place/films" })
    .where("id", "=", three)
    .execute();
  for (const id of [one, three]) await running.publications.remove(id, "ann");
  all.clock.wall += 7 * DAY_MS;
  await hub(all).publications.start();
  assert.deepEqual(all.disk.bytes(kept), large);
  assert.deepEqual(all.disk.bytes(foreign), bytes(70, 3));
  assert.equal(
    (await all.store.fileCopies.alike({ size: 1, sample: new Uint8Array(1) }, 9)).length,
    1,
  );
  await assertWhole(hub(all), all, two, { "other name": large });
});

test("publishing the same content within seven days brings it back under its new name", async (t) => {
  const all = await world(t);
  const running = hub(all);
  const id = await publish(running, CONTENTS, { comment: "old words" });
  const before = (await running.catalogue.find(id))!;
  await running.publications.remove(id, "ann");
  all.clock.wall += DAY_MS;
  const again = await publish(running, CONTENTS, { title: "New: title", comment: "new" }, "bob");
  assert.equal(again, id);
  const after = (await running.catalogue.find(id))!;
  assert.deepEqual(
    [after.name, after.comment, after.publisherId, after.publishedMs],
    ["New: title", "new", "bob", all.clock.wall],
  );
  assert.deepEqual(after.infohashes, before.infohashes);
  assert.deepEqual(await found(running, "words"), []);
  assert.deepEqual(await found(running, "title"), [id]);
  assert.equal(all.registered.length, 1);
  await assertWhole(running, all, id);
  assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")));
});

test("published again after seven days, it is a new torrent, and the old address stays removed", async (t) => {
  const all = await world(t);
  const id = await publish(hub(all));
  await hub(all).publications.remove(id, "ann");
  all.clock.wall += 8 * DAY_MS;
  // The hourly sweep has not run yet.
  const running = hub(all);
  const again = await publish(running, CONTENTS, {}, "bob");
  assert.notEqual(again, id);
  await assertWhole(running, all, again);
  assert.equal((await running.publications.findRemoved(id))?.undoUntilMs, null);
  await running.publications.start();
  await assertWhole(running, all, again);
});

/**
 * Runs `task` on worlds that are killed after each change of their disk; `check` examines the state after a restart.
 */
async function killedAfterEachChange(
  t: TestContext,
  prepare: (running: Running, all: Awaited<ReturnType<typeof world>>) => Promise<string>,
  task: (running: Running, id: string) => Promise<unknown>,
  check: (
    running: Running,
    all: Awaited<ReturnType<typeof world>>,
    id: string,
    killed: number,
  ) => Promise<void>,
): Promise<number> {
  for (let changes = 0; ; changes += 1) {
    const all = await world(t);
    const id = await prepare(hub(all), all);
    const before = all.disk.changes;
    all.disk.stopAfter = before + changes;
    try {
      await task(hub(all), id);
    } catch (error) {
      assert.match(String(error), /dead|refused|disk/, `${changes}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    const isOver = all.disk.changes - before < changes;
    all.disk.stopAfter = Infinity;
    await check(hub(all), all, id, changes);
    if (isOver) return changes;
  }
}

test("STO-1, HUB-18: after a kill during the final deletion, the next start completes it and others stay whole", async (t) => {
  const other = { keep: bytes(50_000, 8) };
  const steps = await killedAfterEachChange(
    t,
    async (running, all) => {
      const id = await publish(running);
      await publish(running, other, { name: "other" });
      await running.publications.remove(id, "ann");
      all.clock.wall += 7 * DAY_MS;
      return id;
    },
    async ({ publications }) => publications.start(),
    async (running, all, id, changes) => {
      // The clock may have been wrong: a deletion that has begun is never undone.
      all.clock.wall -= 3 * DAY_MS;
      if (changes < 2) {
        const { state } = (await all.store.removedTorrents.find(id))!;
        assert.equal(state, "purging");
        await assert.rejects(running.publications.restore(id), { code: "not-found" });
      }
      await running.publications.start();
      assert.equal((await all.store.removedTorrents.find(id))!.state, "gone", `${changes}`);
      const [left] = await found(running, "");
      await assertWhole(running, all, left!, other);
      const own = all.disk.paths.filter((path) => !path.endsWith("/keep"));
      assert.equal(own.length, 1, `${changes}: ${own.join()}`);
    },
  );
  assert.ok(steps >= 2, "content and .torrent file are deleted in separate steps");
});

for (const days of [1, 8]) {
  test(`STO-1: a kill after any step of publishing again, ${days} days after it was removed, loses nothing`, async (t) => {
    await killedAfterEachChange(
      t,
      async (running, all) => {
        const id = await publish(running);
        await running.publications.remove(id, "ann");
        all.clock.wall += days * DAY_MS;
        return id;
      },
      async (running) => publish(running, CONTENTS, { title: "again" }),
      async (running, all, id, changes) => {
        await running.publications.start();
        await running.publisher.start();
        const declared = await running.publisher.declare(
          "ann",
          declaration(CONTENTS, { title: "again" }),
        );
        const { draft, order } = declared;
        if (draft.state !== "published") {
          const { offset } = draft;
          await running.publisher.receive(draft.id, offset, inOrder(CONTENTS, order, offset));
        }
        const [back] = await found(running, "");
        assert.equal(back === id, days === 1, `${changes}`);
        await assertWhole(running, all, back!);
        assert.equal((await running.catalogue.find(back!))!.name, "again");
        await running.publisher.start();
        assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")), `${changes}`);
      },
    );
  });
}
