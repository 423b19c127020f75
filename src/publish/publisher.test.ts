import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import {
  bytes,
  CONTENTS,
  type Contents,
  declaration,
  hexes,
  hub,
  inOrder,
  TRACKER,
  world,
} from "../../test/fixtures/publish-world.ts";
import type { Declaration } from "./draft-plan.ts";

/** Hashes files as their owner would, in pieces of 16 KiB. */
function pieceHashes(contents: Contents, order: readonly number[]): Uint8Array {
  const all = concatBytes(order.map((index) => Object.values(contents)[index]!));
  const count = Math.ceil(all.length / 16_384);
  return concatBytes(
    Array.from({ length: count }, (_, piece) =>
      sha1(all.subarray(piece * 16_384, (piece + 1) * 16_384)),
    ),
  );
}

const refused: [why: string, code: string, more: Partial<Declaration>][] = [
  ["more than the limit", "too-large", { files: [{ path: "a", size: 2e12 }], pieceSize: "auto" }],
  ["no folder for two files", "bad-declaration", { folder: false }],
  ["pieces that are no power of two", "bad-declaration", { pieceSize: 100_000 }],
  ["pieces of 256 MiB", "bad-declaration", { pieceSize: 256 * 1024 * 1024 }],
  [
    "a sum past 2^53",
    "bad-declaration",
    { files: [1, 2].map((n) => ({ path: `${n}`, size: 2 ** 53 - 1 })) },
  ],
  [
    "a million pieces of hashes",
    "bad-declaration",
    { files: [{ path: "a", size: 9e11 }], pieceSize: 262_144 },
  ],
];
for (const [why, code, more] of refused) {
  test(`HUB-8: a declaration with ${why} is refused (${code}) and leaves nothing`, async (t) => {
    const all = await world(t);
    const { publisher } = hub(all);
    await assert.rejects(publisher.declare("ann", declaration(CONTENTS, more)), { code });
    assert.deepEqual(all.disk.paths, []);
    assert.deepEqual(await publisher.listOpen("ann"), []);
  });
}

test("STO-4: more than the disk has room for is refused with both numbers", async (t) => {
  const all = await world(t);
  all.disk.free = 2 ** 30;
  const { publisher } = hub(all);
  const files = [{ path: "a", size: 5 * 2 ** 30 }];
  await assert.rejects(publisher.declare("ann", declaration({}, { files, pieceSize: "auto" })), {
    code: "disk-full",
    detail: "This needs 5.0 GiB; the disk of this hub has 960.0 MiB free.",
  });
});

test("STO-4, HUB-20: unfinished uploads keep the space they were promised, those of one moment too", async (t) => {
  const all = await world(t);
  all.disk.free = 5 * 2 ** 30;
  const { publisher } = hub(all);
  const declare = (owner: string, gibibytes: number) =>
    publisher.declare(
      owner,
      declaration({}, { files: [{ path: owner, size: gibibytes * 2 ** 30 }], pieceSize: "auto" }),
    );
  const outcomes = await Promise.allSettled(
    ["ann", "bob", "cat"].map((owner) => declare(owner, 2)),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
  await assert.rejects(declare("dan", 1), {
    code: "disk-full",
    detail:
      "This needs 1.0 GiB; the disk of this hub has 960.0 MiB free beside what is on its way.",
  });
  const [first] = [...(await publisher.listOpen("ann")), ...(await publisher.listOpen("bob"))];
  await publisher.discard(first!.id);
  await declare("dan", 1);
});

test("HUB-8: one person has at most 100 unfinished uploads", async (t) => {
  const { publisher } = hub(await world(t));
  for (let count = 0; count < 100; count += 1) {
    await publisher.declare("ann", declaration({ [`${count}`]: bytes(10, 1) }));
  }
  await assert.rejects(publisher.declare("ann", declaration({ more: bytes(10, 1) })), {
    code: "too-many-drafts",
  });
  await publisher.declare("bob", declaration({ more: bytes(10, 1) }));
});

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`PUB-3.2: a ${kind} folder is a torrent the moment its last byte is here`, async (t) => {
    const all = await world(t);
    const { publisher, catalogue } = hub(all);
    const declared = await publisher.declare("ann", declaration(CONTENTS, { kind, comment: "hi" }));
    assert.equal(declared.draft.offset, 0);
    assert.equal(declared.draft.size, 56_389);
    const { id } = declared.draft;
    const reached = await publisher.receive(id, 0, inOrder(CONTENTS, declared.order));
    assert.equal(reached, 56_389);
    const draft = await publisher.find(id);
    assert.equal(draft?.state, "published");
    assert.equal(draft.torrentId, id);

    const listing = await catalogue.find(id);
    assert.ok(listing);
    assert.equal(listing.name, "talks");
    assert.equal(listing.fileCount, 4);
    const webSeeds = [`http://127.0.0.1:8420/t/${id}/seed/`];
    const file = await catalogue.torrentFile(listing, { trackers: [TRACKER], webSeeds });
    assert.ok(file);
    const metainfo = parseMetainfo(file);
    assert.deepEqual(hexes(metainfo.info.infohashes), hexes(listing.infohashes));
    assert.deepEqual(metainfo.trackers, [[TRACKER]]);
    assert.deepEqual(metainfo.webSeeds, webSeeds);
    assert.deepEqual(all.registered.map(hexes), [hexes(listing.infohashes)]);
    const found = await catalogue.search({ query: "two", limit: 50, offset: 0 });
    assert.deepEqual(
      found.listings.map((entry) => entry.id),
      [id],
    );
    assert.deepEqual(
      (await catalogue.files(id))!
        .slice(0, Infinity)
        .map((entry) => entry.path)
        .toSorted(),
      Object.keys(CONTENTS).toSorted(),
    );
    for (const entry of (await catalogue.files(id))!.slice(0, Infinity)) {
      const stored = await catalogue.file(id, entry.index);
      assert.deepEqual(all.disk.bytes(stored!.location), CONTENTS[entry.path]);
    }
    assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")), "nothing is left over");
    assert.equal(await catalogue.file(id, 4), undefined);
  });
}

test("PUB-1.2: the same declaration finds the unfinished upload again, also after a restart", async (t) => {
  const all = await world(t);
  const first = hub(all);
  const one = await first.publisher.declare("ann", declaration(CONTENTS));
  await first.publisher.receive(one.draft.id, 0, inOrder(CONTENTS, one.order, 0, 20_000));
  await first.publisher.stop();
  const second = hub(all);
  await second.publisher.start();
  const two = await second.publisher.declare("ann", declaration(CONTENTS));
  assert.ok(two.resumed);
  assert.equal(two.draft.id, one.draft.id);
  assert.equal(two.draft.offset, 20_000);
  const other = await second.publisher.declare("bob", declaration(CONTENTS));
  assert.notEqual(other.draft.id, one.draft.id);
  await second.publisher.receive(two.draft.id, 20_000, inOrder(CONTENTS, two.order, 20_000));
  assert.equal((await second.publisher.find(one.draft.id))?.state, "published");
});

test("a double click makes one draft", async (t) => {
  const { publisher } = hub(await world(t));
  const declared = await Promise.all(
    Array.from({ length: 5 }, () => publisher.declare("ann", declaration(CONTENTS))),
  );
  assert.equal(new Set(declared.map((one) => one.draft.id)).size, 1);
});

test("MET-23: the same content again is one torrent and one copy; the second link leads to the first", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const ids: string[] = [];
  for (const owner of ["ann", "bob"]) {
    const declared = await publisher.declare(owner, declaration(CONTENTS));
    await publisher.receive(declared.draft.id, 0, inOrder(CONTENTS, declared.order));
    ids.push(declared.draft.id);
  }
  const second = await publisher.find(ids[1]!);
  assert.equal(second?.torrentId, ids[0]);
  assert.equal((await catalogue.find(ids[1]!))?.id, ids[0]);
  assert.equal((await catalogue.totals()).torrents, 1);
  assert.equal(all.registered.length, 1);
  assert.equal(all.disk.paths.filter((path) => path.endsWith("two.bin")).length, 1);
});

test("MET-23: piece hashes of known content end an upload before its first byte, or in the middle", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const v1 = { kind: "v1" } as const;
  const first = await publisher.declare("ann", declaration(CONTENTS, v1));
  const pieces = pieceHashes(CONTENTS, first.order);
  assert.equal(
    (await publisher.recognise(first.draft.id, { v1: pieces })).state,
    "uploading",
    "not yet",
  );
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));

  const before = await publisher.declare("bob", declaration(CONTENTS, v1));
  const known = await publisher.recognise(before.draft.id, { v1: pieces });
  assert.deepEqual([known.state, known.torrentId], ["published", first.draft.id]);

  const middle = await publisher.declare("eve", declaration(CONTENTS, v1));
  const chunks = inOrder(CONTENTS, middle.order);
  let answer: Promise<{ state: string }> | undefined;
  const body = async function* () {
    yield (await chunks.next()).value as Uint8Array;
    answer = publisher.recognise(middle.draft.id, { v1: pieces });
    await new Promise(() => undefined);
  };
  await assert.rejects(publisher.receive(middle.draft.id, 0, body()), { code: "closed" });
  assert.equal((await answer!).state, "published");
  assert.equal((await catalogue.find(middle.draft.id))?.id, first.draft.id);
  assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")), "nothing is left over");
});

test("piece hashes of other content, of another number or of another kind find nothing", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const first = await publisher.declare("ann", declaration(CONTENTS, { kind: "v1" }));
  const pieces = pieceHashes(CONTENTS, first.order);
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  const again = await publisher.declare("bob", declaration(CONTENTS, { kind: "v1" }));
  const other = pieces.slice();
  other[79]! ^= 1;
  assert.equal((await publisher.recognise(again.draft.id, { v1: other })).state, "uploading");
  await assert.rejects(publisher.recognise(again.draft.id, { v1: pieces.subarray(20) }), {
    code: "bad-declaration",
  });
  const hybrid = await publisher.declare("bob", declaration(CONTENTS));
  await assert.rejects(publisher.recognise(hybrid.draft.id, { v1: pieces }), {
    code: "bad-declaration",
  });
  await assert.rejects(publisher.recognise("none", { v1: pieces }), { code: "not-found" });
});

test("HUB-19: content that the disk has lost does not count as here: its bytes are wanted", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const first = await publisher.declare("ann", declaration(CONTENTS, { kind: "v1" }));
  const pieces = pieceHashes(CONTENTS, first.order);
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  const again = await publisher.declare("bob", declaration(CONTENTS, { kind: "v1" }));
  all.damaged.add(first.draft.id);
  assert.equal((await publisher.recognise(again.draft.id, { v1: pieces })).state, "uploading");
  all.damaged.clear();
  await all.disk.remove((await catalogue.file(first.draft.id, 0))!.location);
  assert.equal((await publisher.recognise(again.draft.id, { v1: pieces })).state, "uploading");
});

test("HUB-19: the same content again brings back what the disk has lost", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const first = await publisher.declare("ann", declaration(CONTENTS));
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  const location = async (index: number) => (await catalogue.file(first.draft.id, index))!.location;
  await all.disk.remove(await location(0));
  await all.disk.write(await location(1), new Uint8Array(3));
  const again = await publisher.declare("bob", declaration(CONTENTS));
  await publisher.receive(again.draft.id, 0, inOrder(CONTENTS, again.order));
  assert.equal((await publisher.find(again.draft.id))?.torrentId, first.draft.id);
  for (const file of (await catalogue.files(first.draft.id))!.slice(0, Infinity)) {
    assert.deepEqual(all.disk.bytes(await location(file.index)), CONTENTS[file.path]);
  }
  assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")));
});

test("HUB-19: the same content again brings back bytes that changed on the disk", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const first = await publisher.declare("ann", declaration(CONTENTS));
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  const { location } = (await catalogue.file(first.draft.id, 0))!;
  const [file] = (await catalogue.files(first.draft.id))!.slice(0, Infinity);
  all.disk.poke(location, 0, bytes(3, 99));
  all.damaged.add(first.draft.id);
  const again = await publisher.declare("bob", declaration(CONTENTS));
  await publisher.receive(again.draft.id, 0, inOrder(CONTENTS, again.order));
  assert.deepEqual(all.disk.bytes(location), CONTENTS[file!.path]);
  assert.equal(all.damaged.size, 0);
});

test("HUB-19: the same content again brings back a .torrent file that is lost", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const first = await publisher.declare("ann", declaration(CONTENTS));
  await publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  const path = all.disk.paths.find((each) => each.endsWith(".torrent"))!;
  await all.disk.remove(path);
  const again = await publisher.declare("bob", declaration(CONTENTS));
  await publisher.receive(again.draft.id, 0, inOrder(CONTENTS, again.order));
  assert.ok(all.disk.paths.includes(path));
});

test("MET-1, MET-3, MET-4: odd names are made safe, and the answer says how", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const contents: Contents = {
    "../../etc/passwd": bytes(5, 1),
    "/absolute": bytes(5, 2),
    "CON.txt": bytes(5, 3),
    "a\nb\u202ec": bytes(5, 4),
    "x/./y//z": bytes(5, 5),
    "back\\slash": bytes(5, 6),
    A: bytes(5, 7),
    a: bytes(5, 8),
    "\ud800lone": bytes(5, 9),
    "dot.": bytes(5, 10),
  };
  const declared = await publisher.declare("ann", declaration(contents, { name: "../evil\0" }));
  await publisher.receive(declared.draft.id, 0, inOrder(contents, declared.order));
  assert.ok(declared.renamed.length >= 8);
  const listing = await catalogue.find(declared.draft.id);
  assert.equal(listing!.name, "../evil\0", "a title is no name of a file");
  assert.equal((await catalogue.metainfo(declared.draft.id))!.info.name, ".._evil");
  const files = (await catalogue.files(declared.draft.id))!.slice(0, Infinity);
  assert.equal(new Set(files.map((file) => file.path.toLowerCase())).size, 10);
  for (const path of all.disk.paths)
    assert.match(path, /^\/data\/(content|torrents)\/[^\\\n\0\u202e]+$/);
  for (const file of files) assert.ok(!file.path.split("/").includes(".."), file.path);
});

for (const contents of [
  { "only.txt": new Uint8Array(0) },
  { "only.txt": bytes(1, 1) },
] as Contents[]) {
  test(`one file of ${Object.values(contents)[0]!.length} bytes without a folder`, async (t) => {
    const all = await world(t);
    const { publisher, catalogue } = hub(all);
    const single = declaration(contents, { folder: false, name: "only.txt", kind: "v1" });
    const declared = await publisher.declare("ann", single);
    if (declared.draft.size > 0) {
      await publisher.receive(declared.draft.id, 0, inOrder(contents, declared.order));
    }
    assert.equal((await publisher.find(declared.draft.id))?.state, "published");
    const [file] = (await catalogue.files(declared.draft.id))!.slice(0, Infinity);
    assert.equal(file?.path, "only.txt");
    const { location } = (await catalogue.file(declared.draft.id, 0))!;
    assert.deepEqual(all.disk.bytes(location), Object.values(contents)[0]);
  });
}

test("STO-1: a kill after any change of the disk loses nothing that was promised", async (t) => {
  const whole = await world(t);
  const untouched = hub(whole);
  const reference = await untouched.publisher.declare("ann", declaration(CONTENTS));
  await untouched.publisher.receive(reference.draft.id, 0, inOrder(CONTENTS, reference.order));
  const total = whole.disk.changes;
  const wanted = (await untouched.catalogue.find(reference.draft.id))!.infohashes;
  for (let changes = 0; changes < total; changes += 1) {
    const all = await world(t);
    all.disk.stopAfter = changes;
    try {
      const { publisher } = hub(all);
      const declared = await publisher.declare("ann", declaration(CONTENTS));
      await publisher.receive(declared.draft.id, 0, inOrder(CONTENTS, declared.order));
    } catch (error) {
      assert.match(String(error), /dead|refused|disk/, `${changes}`);
    }
    // The process is gone; unfinished work stays unfinished.
    await new Promise((resolve) => setTimeout(resolve, 0));
    all.disk.stopAfter = Infinity;
    const { publisher, catalogue } = hub(all);
    await publisher.start();
    const declared = await publisher.declare("ann", declaration(CONTENTS));
    const { id, offset, state } = declared.draft;
    if (state !== "published") {
      await publisher.receive(id, offset, inOrder(CONTENTS, declared.order, offset));
    }
    const listing = await catalogue.find(id);
    assert.ok(listing, `${changes}`);
    assert.deepEqual(hexes(listing.infohashes), hexes(wanted));
    for (const file of (await catalogue.files(id))!.slice(0, Infinity)) {
      const { location } = (await catalogue.file(id, file.index))!;
      assert.deepEqual(all.disk.bytes(location), CONTENTS[file.path], `${changes}`);
    }
    await publisher.start();
    assert.ok(!all.disk.paths.some((path) => path.includes("/uploads/")), `${changes}`);
  }
});

test("a torrent file that cannot be written fails the draft, keeps the bytes, and can be tried again", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const declared = await publisher.declare("ann", declaration(CONTENTS));
  const { id } = declared.draft;
  await publisher.receive(id, 0, inOrder(CONTENTS, declared.order, 0, 50_000));
  const body = async function* () {
    yield* inOrder(CONTENTS, declared.order, 50_000);
    all.disk.write = async () => {
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    };
  };
  await assert.rejects(publisher.receive(id, 50_000, body()), { code: "disk-full" });
  const failed = await publisher.find(id);
  assert.equal(failed?.state, "failed");
  assert.match(failed.problem ?? "", /full/);
  Reflect.deleteProperty(all.disk, "write");
  const again = await publisher.declare("ann", declaration(CONTENTS));
  assert.equal(again.draft.state, "published");
});

test("HUB-8: abandoned drafts are deleted after seven days", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const old = await publisher.declare("ann", declaration(CONTENTS));
  await publisher.receive(old.draft.id, 0, inOrder(CONTENTS, old.order, 0, 20_000));
  await publisher.stop();
  all.clock.wall += 6 * 86_400_000;
  await hub(all).publisher.start();
  assert.ok(all.disk.paths.length > 0);
  all.clock.wall += 2 * 86_400_000;
  const later = hub(all).publisher;
  await later.start();
  assert.deepEqual(all.disk.paths, []);
  assert.equal(await later.find(old.draft.id), undefined);
});

test("a cancelled draft is deleted with its bytes", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const declared = await publisher.declare("ann", declaration(CONTENTS));
  await publisher.receive(declared.draft.id, 0, inOrder(CONTENTS, declared.order, 0, 20_000));
  await publisher.discard(declared.draft.id);
  assert.deepEqual(all.disk.paths, []);
  assert.equal(await publisher.find(declared.draft.id), undefined);
  await assert.rejects(publisher.receive(declared.draft.id, 20_000, inOrder(CONTENTS, [0])), {
    code: "not-found",
  });
});

test("HUB-18: cancelling after the last byte is too late: the new torrent keeps its content", async (t) => {
  const all = await world(t);
  const { publisher, catalogue } = hub(all);
  const other: Contents = { "c.bin": bytes(20_000, 3) };
  const [first, second] = [
    await publisher.declare("ann", declaration(CONTENTS)),
    await publisher.declare("ann", declaration(other)),
  ];
  // The first is being made while the second waits behind it.
  const hold = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const write = all.disk.write.bind(all.disk);
  all.disk.write = async (path, content) => {
    reached.resolve();
    await hold.promise;
    return write(path, content);
  };
  const making = publisher.receive(first.draft.id, 0, inOrder(CONTENTS, first.order));
  await reached.promise;
  const waiting = publisher.receive(second.draft.id, 0, inOrder(other, second.order));
  await new Promise((resolve) => setImmediate(resolve));
  const tooLate = [first, second].map(({ draft }) =>
    assert.rejects(publisher.discard(draft.id), { code: "not-found" }),
  );
  hold.resolve();
  await Promise.all([making, waiting, ...tooLate]);
  for (const [id, contents] of [
    [first.draft.id, CONTENTS],
    [second.draft.id, other],
  ] as const) {
    const files = (await catalogue.files(id))!.slice(0, Infinity);
    assert.equal(files.length, Object.keys(contents).length);
    for (const file of files) {
      const { location } = (await catalogue.file(id, file.index))!;
      assert.deepEqual(all.disk.bytes(location), contents[file.path]);
    }
  }
});

test("cancelling a draft that failed on its last step deletes its bytes", async (t) => {
  const all = await world(t);
  const { publisher } = hub(all);
  const declared = await publisher.declare("ann", declaration(CONTENTS));
  all.disk.write = async () => {
    throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  };
  const body = inOrder(CONTENTS, declared.order);
  await assert.rejects(publisher.receive(declared.draft.id, 0, body), { code: "disk-full" });
  assert.ok(all.disk.paths.length > 0);
  await publisher.discard(declared.draft.id);
  assert.deepEqual(all.disk.paths, []);
});
