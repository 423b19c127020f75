import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { assertSameBytes } from "../../test/fixtures/same-bytes.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { MemoryFiles } from "../sim/memory-files.ts";
import { openStore } from "../store/open-store.ts";
import { ContentSharing } from "./content-sharing.ts";
import { DataFolder } from "./data-folder.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

const LARGE = 3_000_000;

async function world(t: TestContext) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  const disk = new MemoryFiles();
  const torrents = new Map<string, Record<string, Uint8Array>>();
  const library = {
    load: async ({ id }: { id: string }) => {
      const files = Object.entries(torrents.get(id)!).map(([path, { length }]) => ({
        path: path.split("/"),
        length,
        pad: false,
        linkTarget: undefined,
      }));
      return { info: { files } } as unknown as Metainfo;
    },
  } as unknown as TorrentLibrary;
  /** Publishes files. @returns A function that gives a file's place on the disk. */
  const publish = async (id: string, files: Record<string, Uint8Array>, where = "content") => {
    torrents.set(id, files);
    for (const [path, bytes] of Object.entries(files)) {
      await disk.write(`/data/${where}/${id}/${path}`, bytes);
    }
    await store.torrents.insert(
      {
        id,
        infohash_v1: new TextEncoder().encode(id.padEnd(20)),
        infohash_v2: null,
        kind: "v1",
        name: "x",
        folder: 0,
        size: 1,
        file_count: 1,
        piece_size: 16_384,
        piece_count: 1,
        private: 0,
        comment: null,
        content_path: `${where}/${id}`,
        metainfo_path: "",
        publisher_id: "u",
        published_at: 1,
        checked_at: 1,
        trackers: "[]",
      },
      { words: "" },
    );
    return (path: string) => `/data/${where}/${id}/${path}`;
  };
  const open = (options: Partial<{ log: typeof SILENT_LOG }> = {}) =>
    new ContentSharing({
      torrents: store.torrents,
      copies: store.fileCopies,
      settings: store.settings,
      library,
      folder: new DataFolder("/data"),
      files: disk,
      log: SILENT_LOG,
      ...options,
    });
  /** Runs one start of the hub until everything was compared. */
  const share = async (options: Partial<{ log: typeof SILENT_LOG }> = {}) => {
    const sharing = open(options);
    sharing.start();
    await sharing.idle();
    await sharing.stop();
  };
  return { disk, store, publish, share, open };
}

function bytes(seed: number, length = LARGE): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 7 + seed * 31 + (index >>> 9)) & 0xff);
}

test("MET-23: equal files of two torrents are one on the disk, whatever their names and kinds", async (t) => {
  const { disk, publish, share } = await world(t);
  const small = bytes(2, 1000);
  const one = await publish("one", { "a/big.bin": bytes(1), "small.bin": small });
  await share();
  const two = await publish("two", { "renamed.bin": bytes(1), "small.bin": small });
  const other = await publish("other", { "big.bin": bytes(3) });
  await share();
  assert.ok(disk.same(one("a/big.bin"), two("renamed.bin")));
  assert.ok(!disk.same(one("a/big.bin"), other("big.bin")), "of the same size, with other bytes");
  assert.ok(!disk.same(one("small.bin"), two("small.bin")), "not worth a look");
  assertSameBytes(disk.bytes(other("big.bin")), bytes(3));
});

test("two equal files of one torrent are one too", async (t) => {
  const { disk, publish, share } = await world(t);
  const one = await publish("one", { "a.bin": bytes(1), "b.bin": bytes(1) });
  await share();
  assert.ok(disk.same(one("a.bin"), one("b.bin")));
});

for (const [where, at] of [
  ["one byte in a place that the sample does not see", 1_000_000],
  ["the last byte of a part", 1024 * 1024 - 1],
  ["the last byte before the end", LARGE - 1],
] as const) {
  test(`HUB-19: a copy that differs in ${where} is not taken for equal`, async (t) => {
    const { disk, publish, share } = await world(t);
    const one = await publish("one", { "big.bin": bytes(1) });
    await share();
    disk.poke(one("big.bin"), at, new Uint8Array([bytes(1)[at]! ^ 1]));
    const two = await publish("two", { "big.bin": bytes(1) });
    await share();
    assert.ok(!disk.same(one("big.bin"), two("big.bin")));
    assertSameBytes(disk.bytes(two("big.bin")), bytes(1), "the damage is not handed on");
    const three = await publish("three", { "big.bin": bytes(1) });
    await share();
    assert.ok(disk.same(two("big.bin"), three("big.bin")), "the intact one is found");
  });
}

test("a missing copy is forgotten, one with another length is skipped", async (t) => {
  const { disk, store, publish, share } = await world(t);
  const gone = await publish("gone", { "big.bin": bytes(1) });
  const cut = await publish("cut", { "big.bin": bytes(2) });
  await share();
  await disk.remove(gone("big.bin"));
  await disk.write(cut("big.bin"), bytes(2, 70_000));
  const [one, two] = [
    await publish("one", { "big.bin": bytes(1) }),
    await publish("two", { "big.bin": bytes(2) }),
  ];
  await share();
  assertSameBytes(disk.bytes(one("big.bin")), bytes(1));
  assertSameBytes(disk.bytes(two("big.bin")), bytes(2));
  const rows = await store.db.selectFrom("file_copies").select("path").orderBy("path").execute();
  assert.deepEqual(
    rows.map(({ path }) => path),
    ["content/one/big.bin", "content/two/big.bin"],
  );
});

test("a file that cannot be linked keeps its own copy, and the rest goes on", async (t) => {
  const { disk, publish, share } = await world(t);
  await publish("one", { "big.bin": bytes(1), "c.bin": bytes(4) });
  await share();
  const two = await publish("two", { "big.bin": bytes(1) });
  disk.replaceByLink = async () => {
    throw Object.assign(new Error("too many links"), { code: "EMLINK" });
  };
  const said: string[] = [];
  await share({ log: { ...SILENT_LOG, debug: (message) => said.push(message) } });
  assert.deepEqual(said, ["a file is kept twice"]);
  assertSameBytes(disk.bytes(two("big.bin")), bytes(1));
  Reflect.deleteProperty(disk, "replaceByLink");
  const three = await publish("three", { "c.bin": bytes(4) });
  await share();
  assert.ok(disk.same(three("c.bin"), "/data/content/one/c.bin"));
});

test("work left by a stop is done after the next start", async (t) => {
  const { disk, publish, share, open } = await world(t);
  const one = await publish("one", { "a.bin": bytes(1) });
  const two = await publish("two", { "a.bin": bytes(1) });
  const stopped = open();
  stopped.start();
  await stopped.stop();
  assert.ok(!disk.same(one("a.bin"), two("a.bin")));
  await share();
  assert.ok(disk.same(one("a.bin"), two("a.bin")));
});

test("a folder that is not the hub's own is not touched", async (t) => {
  const { disk, publish, share } = await world(t);
  const own = await publish("own", { "big.bin": bytes(1) });
  const elsewhere = await publish("theirs", { "big.bin": bytes(1) }, "in-place");
  await share();
  assert.ok(!disk.same(own("big.bin"), elsewhere("big.bin")));
});
