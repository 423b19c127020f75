import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore, type Store } from "./open-store.ts";
import { searchExpression } from "./search-expression.ts";
import type { NewTorrent } from "./torrents.ts";

function torrent(number: number, more: Partial<NewTorrent> = {}): NewTorrent {
  return {
    id: `t${number}`,
    infohash_v1: new Uint8Array(20).fill(number),
    infohash_v2: new Uint8Array(32).fill(number + 100),
    kind: "hybrid",
    name: `Torrent ${number}`,
    folder: 0,
    size: 1000,
    file_count: 1,
    piece_size: 16_384,
    piece_count: 1,
    private: 0,
    comment: null,
    content_path: `content/${number}`,
    metainfo_path: `torrents/${number}.torrent`,
    publisher_id: "nobody",
    published_at: 1_790_000_000_000 + number,
    checked_at: 1_790_000_000_000 + number,
    ...more,
  };
}

async function withStore(use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(":memory:");
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

const expressions: [query: string, expression: string | undefined][] = [
  ["", undefined],
  ["  \t ", undefined],
  ['"" * ( ) - ^ :', undefined],
  ["harbour", '"harbour"*'],
  ["har bour", '"har"* AND "bour"*'],
  ['name:x" OR "y', '"name"* AND "x"* AND "OR"* AND "y"*'],
  ["второй день", '"второй"* AND "день"*'],
  ["a\0b", '"a"* AND "b"*'],
];
for (const [query, expression] of expressions) {
  test(`TRK-15: search text ${JSON.stringify(query)} becomes ${expression}`, () => {
    assert.equal(searchExpression(query), expression);
  });
}

test("a search has at most ten words of at most 64 characters", () => {
  const expression = searchExpression(`${"x".repeat(5000)} ${"y ".repeat(5000)}`);
  assert.ok(expression !== undefined && expression.length < 64 + 10 * 12);
});

test("the same infohash twice is refused", async () => {
  await withStore(async (store) => {
    await store.torrents.insert(torrent(1), { words: "" });
    await assert.rejects(store.torrents.insert(torrent(1, { id: "other" }), { words: "" }));
    assert.deepEqual(await store.torrents.totals(), { torrents: 1, bytes: 1000 });
  });
});

test("a torrent is found by id and by each of its wire infohashes", async () => {
  await withStore(async (store) => {
    await store.torrents.insert(torrent(1), { words: "" });
    assert.equal((await store.torrents.find("t1"))?.name, "Torrent 1");
    assert.equal(await store.torrents.find("t2"), undefined);
    const v1 = new Uint8Array(20).fill(1);
    const v2 = new Uint8Array(20).fill(101);
    assert.equal((await store.torrents.findByWire(v1))?.id, "t1");
    assert.equal((await store.torrents.findByWire(v2))?.id, "t1");
    assert.equal(await store.torrents.findByWire(new Uint8Array(20).fill(7)), undefined);
    const both = { v1, v2: new Uint8Array(32).fill(101) };
    assert.deepEqual(store.torrents.infohashesOf(v1), both);
    assert.deepEqual(store.torrents.infohashesOf(v2), both);
    assert.equal(store.torrents.infohashesOf(new Uint8Array(20).fill(7)), undefined);
    await store.torrents.insert(torrent(2), { words: "" });
    assert.deepEqual(
      store.torrents.newestInfohashes(9).map((each) => each.v1?.[0]),
      [2, 1],
    );
    assert.deepEqual(store.torrents.newestInfohashes(1)[0]?.v2?.length, 32);
    assert.equal(store.torrents.newestInfohashes(1).length, 1);
  });
});

const searches: [query: string, ids: string[]][] = [
  ["", ["t3", "t2", "t1"]],
  ["talks", ["t3", "t1"]],
  ["TAL har", ["t1"]],
  ["cafe", ["t2"]],
  ["tides", ["t1"]],
  ["alks", []],
  ['"', []],
];
for (const [query, ids] of searches) {
  test(`searching ${JSON.stringify(query)} finds ${ids.join(" ") || "nothing"}, newest first`, async () => {
    await withStore(async (store) => {
      await store.torrents.insert(torrent(1, { name: "Harbour talks" }), {
        words: "02 tides.webm",
      });
      await store.torrents.insert(torrent(2, { name: "Café recordings" }), { words: "" });
      await store.torrents.insert(torrent(3, { name: "Other talks" }), { words: "" });
      const found = await store.torrents.search({ query, limit: 50, offset: 0 });
      assert.deepEqual(
        found.rows.map((row) => row.id),
        ids,
      );
      assert.equal(found.total, ids.length);
    });
  });
}

test("pages of a search follow each other without gap or repetition", async () => {
  await withStore(async (store) => {
    for (let number = 1; number <= 120; number += 1) {
      await store.torrents.insert(torrent(number), { words: "" });
    }
    for (const query of ["", "torrent"]) {
      const ids: string[] = [];
      for (let offset = 0; offset < 150; offset += 50) {
        const { rows, total } = await store.torrents.search({ query, limit: 50, offset });
        assert.equal(total, 120);
        ids.push(...rows.map((row) => row.id));
      }
      assert.deepEqual(
        ids,
        Array.from({ length: 120 }, (_, index) => `t${120 - index}`),
      );
    }
  });
});

test("publishing a draft marks it in the same step", async () => {
  await withStore(async (store) => {
    await store.drafts.insert({
      id: "t1",
      owner_id: "me",
      digest: new Uint8Array(32),
      declaration: "{}",
      name: "x",
      folder: 0,
      kind: "hybrid",
      size: 1,
      file_count: 1,
      piece_size: 16_384,
      private: 0,
      created_at: 1,
      touched_at: 1,
    });
    assert.equal((await store.drafts.findOpen("me", new Uint8Array(32)))?.id, "t1");
    assert.equal((await store.drafts.listOpen("me")).length, 1);
    assert.deepEqual(await store.drafts.openTotals("me"), { count: 1, bytes: 1 });
    assert.deepEqual(await store.drafts.listAbandoned(2), ["t1"]);
    await store.torrents.insert(torrent(1), { words: "", draftId: "t1" });
    const draft = await store.drafts.find("t1");
    assert.equal(draft?.state, "published");
    assert.equal(draft?.torrent_id, "t1");
    assert.equal(draft?.declaration, null);
    assert.equal(await store.drafts.findOpen("me", new Uint8Array(32)), undefined);
    assert.deepEqual(await store.drafts.openTotals("me"), { count: 0, bytes: 0 });
  });
});
