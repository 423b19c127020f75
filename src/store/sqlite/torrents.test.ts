import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { StatementSync } from "node:sqlite";
import { test } from "node:test";
import { sql } from "kysely";
import { takeBack } from "../../../test/fixtures/old-database.ts";
import { openStore } from "../open-store.ts";
import type { Store } from "../store.ts";
import { finish } from "../../base/work.ts";
import { searchExpression, searchWords } from "./search-expression.ts";
import { TORRENTS_PER_PART } from "./search-parts.ts";
import type { NewTorrent } from "../torrents.ts";

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
    trackers: "[]",
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

const expressionOf = (query: string) => searchExpression(searchWords(query).map((word) => [word]));

const expressions: [query: string, expression: string][] = [
  ["", ""],
  ["  \t ", ""],
  ['"" * ( ) - ^ :', ""],
  ["harbour", '"harbour"*'],
  ["har bour", '"har"* AND "bour"*'],
  ['name:x" OR "y', '"name"* AND "x"* AND "OR"* AND "y"*'],
  ["второй день", '"второй"* AND "день"*'],
  ["a\0b", '"a"* AND "b"*'],
];
for (const [query, expression] of expressions) {
  test(`TRK-15: search text ${JSON.stringify(query)} becomes ${expression}`, () => {
    assert.equal(expressionOf(query), expression);
  });
}

test("HUB-43: a search uses at most five words of 64 characters, the longest ones", () => {
  const expression = expressionOf(`${"x".repeat(5000)} ${"y ".repeat(5000)}`);
  assert.ok(expression.length <= 64 + 12, expression);
  assert.deepEqual(searchWords("a b c d e f g h i j"), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(searchWords("a talk of the harbour in fog"), [
    "harbour",
    "talk",
    "the",
    "fog",
    "of",
  ]);
});

test("HUB-43: matches are counted up to a thousand, and looked through in pages up to the last of them", async () => {
  await withStore(async (store) => {
    for (let number = 1; number <= 1_002; number += 1) {
      const infohash_v1 = new Uint8Array(20);
      new DataView(infohash_v1.buffer).setUint32(0, number);
      const bytes = { infohash_v1, infohash_v2: null };
      const name = number === 1 ? "a rare talk" : "talk";
      await store.torrents.insert(torrent(number, { ...bytes, name }), { words: "" });
    }
    const ask = async (query: string, offset: number) => {
      const { total, more, rows } = await store.torrents.search({ query, limit: 50, offset });
      return { total, more, rows: rows.length, first: rows[0]?.id };
    };
    const many = { total: 1_000, more: true };
    assert.deepEqual(await ask("talk", 0), { ...many, rows: 50, first: "t1002" });
    assert.deepEqual(await ask("talk", 950), { ...many, rows: 50, first: "t52" });
    assert.deepEqual(await ask("talk", 1_000), { ...many, rows: 0, first: undefined });
    assert.deepEqual(await ask("talk rare", 0), { total: 1, more: false, rows: 1, first: "t1" });
    const all = await ask("", 1_000);
    assert.deepEqual(all, { total: 1_002, more: false, rows: 2, first: "t2" });
  });
});

/** Skips numbers, as if that many torrents had been published and removed. */
async function skipNumbers(store: Store, newest: number): Promise<void> {
  await sql`update sqlite_sequence set seq = ${newest} where name = 'torrents'`.execute(store.db);
}

async function firstSeqs(store: Store): Promise<unknown[]> {
  const { rows } = await sql<{ first_seq: number }>`select first_seq from search_parts`.execute(
    store.db,
  );
  return rows.map((row) => row.first_seq);
}

test("HUB-43: no step of a search looks through more than one part of the catalogue", async (t) => {
  await withStore(async (store) => {
    // Each later part begins with the first torrent that did not fit into the part before.
    for (let number = 1; number <= 6; number += 1) {
      const seq = Math.floor(number / 2) * TORRENTS_PER_PART + (number % 2);
      await skipNumbers(store, seq - 1);
      await store.torrents.insert(torrent(number, { name: "harbour talk" }), { words: "" });
    }
    assert.deepEqual(await firstSeqs(store), [
      0,
      TORRENTS_PER_PART,
      2 * TORRENTS_PER_PART,
      3 * TORRENTS_PER_PART,
    ]);
    const all = t.mock.method(StatementSync.prototype, "all");
    const looks = (): number =>
      all.mock.calls.filter((call) => (call.this as StatementSync).sourceSQL.includes(" match "))
        .length;
    const lookedEach: number[] = [];
    const found = await store.torrents.search(
      { query: "talk harbour", limit: 50, offset: 0 },
      async (work) => {
        for (;;) {
          const before = looks();
          const step = work.next();
          lookedEach.push(looks() - before);
          if (step.done) return step.value;
        }
      },
    );
    assert.deepEqual(
      found.rows.map(({ id }) => id),
      ["t6", "t5", "t4", "t3", "t2", "t1"],
    );
    assert.deepEqual(lookedEach, [1, 1, 1, 1, 0]);
  });
});

test("a torrent that is edited, removed or restored keeps its part of the index", async () => {
  await withStore(async (store) => {
    const find = async (query: string) => {
      const { rows } = await store.torrents.search({ query, limit: 50, offset: 0 });
      return rows.map(({ id }) => id);
    };
    // A catalogue from before the parts: the first part holds more than its limit.
    const old = 2 * TORRENTS_PER_PART;
    await store.torrents.insert(torrent(1, { name: "harbour" }), { words: "" });
    await sql`update torrents set seq = ${old} where id = 't1'`.execute(store.db);
    await sql`delete from torrents_search where rowid = 1`.execute(store.db);
    await sql`insert into torrents_search (rowid, name, words) values (${old}, 'harbour', '')`.execute(
      store.db,
    );
    await skipNumbers(store, old + 1);
    await store.torrents.insert(torrent(2, { name: "harbour" }), { words: "" });
    assert.deepEqual(await firstSeqs(store), [0, old + 2]);
    assert.deepEqual(await find("harbour"), ["t2", "t1"]);
    await store.torrents.edit("t1", { name: "lighthouse", comment: null }, "");
    assert.deepEqual([await find("harbour"), await find("lighthouse")], [["t2"], ["t1"]]);
    for (const id of ["t1", "t2"]) {
      await store.removedTorrents.remove(id, { by: "ann", atMs: 1, words: "" });
      assert.ok(!(await find("harbour lighthouse")).includes(id));
    }
    assert.deepEqual([await find("harbour"), await find("lighthouse")], [[], []]);
    for (const id of ["t1", "t2"]) await store.removedTorrents.restore(id, {});
    assert.deepEqual([await find("harbour"), await find("lighthouse")], [["t2"], ["t1"]]);
    assert.deepEqual(await firstSeqs(store), [0, old + 2]);
  });
});

test("HUB-43: all work that grows with the catalogue is paid for", async () => {
  await withStore(async (store) => {
    await store.torrents.insert(torrent(1, { name: "Harbour talks" }), { words: "" });
    for (const [query, tasks] of [
      ["", 1],
      ["talks", 1],
      ["tlaks", 3],
    ] as const) {
      let run = 0;
      const search = { query, limit: 50, offset: 0 };
      const { rows } = await store.torrents.search(search, async (work) => {
        run += 1;
        return finish(work);
      });
      assert.deepEqual([rows.length, run], [1, tasks], query);
      await assert.rejects(
        store.torrents.search(search, () => Promise.reject(new Error("no place"))),
        /no place/,
      );
    }
  });
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
    await store.torrents.insert(torrent(2), { words: "" });
    assert.deepEqual(
      [...store.torrents.allInfohashes()],
      [1, 2].map((byte) => ({
        v1: new Uint8Array(20).fill(byte),
        v2: new Uint8Array(32).fill(100 + byte),
      })),
      "in the order of publishing",
    );
    await store.torrents.insert(torrent(3, { private: 1 }), { words: "" });
    assert.equal([...store.torrents.allInfohashes()].length, 3);
    assert.equal([...store.torrents.publicInfohashes()].length, 2, "DHT-7: without private ones");
  });
});

const searches: [query: string, ids: string[]][] = [
  ["", ["t3", "t2", "t1"]],
  ["talks", ["t3", "t1"]],
  ["TAL har", ["t1"]],
  ["cafe", ["t2"]],
  ["tides", ["t1"]],
  ['"', []],
  ["xyzzy", []],
];
/** Words that no torrent has, and the torrents with similar words. */
const similar: [query: string, ids: string[]][] = [
  ["tal xyzzy", []],
  ["harbour recordings", []],
  ["tlk", []],
  ["takls2", []],
  ["alks", ["t3", "t1"]],
  ["takls", ["t3", "t1"]],
  ["tallks", ["t3", "t1"]],
  ["tslks", ["t3", "t1"]],
  ["TÁLSK", ["t3", "t1"]],
  ["harbour tlaks", ["t1"]],
  ["reordings", ["t2"]],
  ["recordnig", ["t2"]],
  ["recoordings cafe", ["t2"]],
  ["cfaé", ["t2"]],
  ["tidse", ["t1"]],
  ["втроой", ["t2"]],
];
for (const [query, ids] of [...searches, ...similar]) {
  test(`searching ${JSON.stringify(query)} finds ${ids.join(" ") || "nothing"}, newest first`, async () => {
    await withStore(async (store) => {
      await store.torrents.insert(torrent(1, { name: "Harbour talks" }), {
        words: "02 tides.webm",
      });
      await store.torrents.insert(torrent(2, { name: "Café recordings" }), { words: "второй" });
      await store.torrents.insert(torrent(3, { name: "Other talks" }), { words: "" });
      const found = await store.torrents.search({ query, limit: 50, offset: 0 });
      assert.deepEqual(
        found.rows.map((row) => row.id),
        ids,
      );
      assert.equal(found.total, ids.length);
      const guessed = similar.some((row) => row[0] === query) && ids.length > 0;
      assert.equal(found.similar, guessed);
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

test("a page is found by index order, however many torrents there are", async (t) => {
  await withStore(async (store) => {
    await store.torrents.insert(torrent(1, { name: "Harbour talks" }), { words: "" });
    // Totals are counted once after each start.
    await store.torrents.totals();
    const asked = [
      t.mock.method(StatementSync.prototype, "all"),
      t.mock.method(StatementSync.prototype, "get"),
    ];
    for (const query of ["", "harbour talks", "harbour tlaks"]) {
      const { rows } = await store.torrents.search({ query, limit: 50, offset: 0 });
      assert.equal(rows.length, 1, query);
    }
    const statements = asked.flatMap(({ mock }) =>
      mock.calls.map((call) => (call.this as StatementSync).sourceSQL),
    );
    t.mock.restoreAll();
    assert.ok(statements.length >= 6, statements.join("\n"));
    for (const statement of statements) {
      const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(
        statement.replaceAll("?", "'[]'"),
      )}`.execute(store.db);
      for (const { detail } of plan.rows) {
        assert.doesNotMatch(detail, /^SCAN (?!.*INDEX)|FOR ORDER BY/, statement);
      }
    }
  });
});

test("a catalogue from before the search clues gets them", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "everseed-store-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "everseed.db");
  const before = await openStore(file);
  await before.torrents.insert(torrent(1, { name: "Harbour talks" }), { words: "tides.webm" });
  await before.close();
  await takeBack(file, "0003-swarm-bytes");
  const after = await openStore(file);
  for (const query of ["harbuor", "tdies"]) {
    const { rows } = await after.torrents.search({ query, limit: 50, offset: 0 });
    assert.equal(rows.length, 1, query);
  }
  await after.close();
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
    assert.equal(await store.drafts.declaration("t1"), null);
    assert.equal(await store.drafts.findOpen("me", new Uint8Array(32)), undefined);
    assert.deepEqual(await store.drafts.openTotals("me"), { count: 0, bytes: 0 });
  });
});
