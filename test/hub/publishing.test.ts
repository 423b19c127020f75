import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import type { DeclaredDraft, Draft } from "../../src/api/drafts.ts";
import { FOLDER_DEPTH_MAX } from "../../src/api/pages.ts";
import type { TorrentDetail, TorrentFiles, TorrentList } from "../../src/api/torrents.ts";
import { slug } from "../../src/api/paths.ts";
import { concatBytes, encodeUtf8 } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { HOST, hubWorld, PASSWORD, problemOf, tus, type World } from "./hub-world.ts";

function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, index) => (index * 7 + seed * 31 + (index >>> 9)) & 0xff);
}

const content20 = bytes(20_000);

async function declare(world: World, headers: Record<string, string>, size = 100_000) {
  const json = { name: "a.bin", folder: false, files: [{ path: "a.bin", size }] };
  const response = await world.call("/api/v1/drafts", { json, headers });
  assert.equal(response.status, 201);
  return (await response.json()) as DeclaredDraft;
}

const declarations: [why: string, status: number, code: string, json: Record<string, unknown>][] = [
  ["no files", 400, "bad_request", { files: [] }],
  ["a negative size", 400, "bad_request", { files: [{ path: "x", size: -1 }] }],
  ["a size past 2^53", 400, "bad_request", { files: [{ path: "x", size: 2 ** 60 }] }],
  ["half a byte", 400, "bad_request", { files: [{ path: "x", size: 0.5 }] }],
  ["a huge name", 400, "bad_request", { files: [{ path: "x".repeat(5000), size: 1 }] }],
  ["a huge torrent name", 400, "bad_request", { name: "x".repeat(300) }],
  [
    "two files and no folder",
    400,
    "bad_request",
    {
      folder: false,
      files: [
        { path: "x", size: 1 },
        { path: "y", size: 1 },
      ],
    },
  ],
  ["more than the limit", 413, "too_large", { files: [{ path: "x", size: 2e9 }] }],
  ["an odd piece size", 400, "bad_request", { pieceSize: 12_345 }],
  ["a tracker that is none", 400, "bad_request", { trackers: ["javascript:alert(1)"] }],
];
for (const [why, status, code, json] of declarations) {
  test(`HUB-8: a declaration with ${why} is refused (${code})`, async (t) => {
    const world = await hubWorld(t);
    const response = await world.call("/api/v1/drafts", {
      json: { name: "x", folder: true, files: [{ path: "x", size: 1 }], ...json },
      headers: await world.program(),
    });
    assert.deepEqual(await problemOf(response), { status, code });
    assert.deepEqual(world.disk.paths, []);
  });
}

test("STO-4: a full disk answers 507 and says what to do", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = 1e8;
  const json = { name: "x", folder: false, files: [{ path: "x", size: 5e8 }] };
  const response = await world.call("/api/v1/drafts", { json, headers: await world.program() });
  assert.deepEqual(await problemOf(response), { status: 507, code: "disk_full" });
});

test("PUB-1.2: tus: HEAD returns the offset, PATCH continues from it, the last byte publishes", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const content = bytes(100_000);
  const draft = await declare(world, headers);
  assert.equal(draft.offset, 0);
  assert.equal(draft.pageUrl, `http://${HOST}/t/${draft.id}/a-bin`);
  const head = () =>
    world.call(draft.uploadPath, {
      method: "HEAD",
      headers: { ...headers, "tus-resumable": "1.0.0" },
    });
  const before = await head();
  assert.equal(before.status, 200);
  assert.equal(before.headers.get("upload-offset"), "0");
  assert.equal(before.headers.get("upload-length"), "100000");
  assert.equal(before.headers.get("cache-control"), "no-store");

  const first = await world.call(draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0) },
    body: content.slice(0, 30_000),
  });
  assert.equal(first.status, 204);
  assert.equal(first.headers.get("upload-offset"), "30000");
  const wrong = await world.call(draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0) },
    body: content.slice(0, 10),
  });
  assert.equal(wrong.status, 409);
  const same = await declare(world, headers);
  assert.ok(same.resumed && same.id === draft.id && same.offset === 30_000);

  const uploading = await world.page(`/t/${draft.id}/x`);
  assert.ok(uploading.model.kind === "upload" && !uploading.model.mine);
  assert.equal((await head()).headers.get("upload-offset"), "30000");
  const last = await world.call(draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(30_000) },
    body: content.slice(30_000),
  });
  assert.equal(last.status, 204);
  const published = (await (
    await world.call(`/api/v1/drafts/${draft.id}`, { headers })
  ).json()) as Draft;
  assert.equal(published.state, "published");
  assert.equal(published.torrent?.size, 100_000);
  assert.equal((await head()).headers.get("upload-offset"), "100000");
});

const patches: [why: string, status: number, headers: Record<string, string>][] = [
  ["without the version of tus", 412, { "tus-resumable": "" }],
  ["without an offset", 403, { "upload-offset": "" }],
  ["with a negative offset", 400, { "upload-offset": "-1" }],
  ["with an offset in words", 400, { "upload-offset": "1e3" }],
  ["of another type", 400, { "content-type": "text/plain" }],
];
for (const [why, status, more] of patches) {
  test(`HUB-8: a PATCH ${why} is refused with ${status}`, async (t) => {
    const world = await hubWorld(t);
    const headers = await world.program();
    const draft = await declare(world, headers);
    const merged: Record<string, string> = { ...headers, ...tus(0), ...more };
    for (const [name, value] of Object.entries(merged)) if (value === "") delete merged[name];
    const response = await world.call(draft.uploadPath, {
      method: "PATCH",
      headers: merged,
      body: bytes(10),
    });
    assert.deepEqual(await problemOf(response), { status, code: "bad_request" });
    const found = (await (
      await world.call(`/api/v1/drafts/${draft.id}`, { headers })
    ).json()) as Draft;
    assert.equal(found.offset, 0);
  });
}

test("an internal error during an upload has an id that is in the log, and reveals nothing else", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const draft = await declare(world, headers);
  world.parts.publisher.receive = async () => {
    throw new TypeError("secret /srv/path");
  };
  const response = await world.call(draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0) },
    body: bytes(10),
  });
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.doesNotMatch(text, /secret/);
  const { error } = JSON.parse(text) as { error: { code: string; id: string } };
  assert.equal(error.code, "internal");
  assert.ok(world.logged.some((line) => line.includes(error.id) && line.includes("secret")));
});

test("HUB-8: a stranger's declaration is refused before it is read", async (t) => {
  const { call } = await hubWorld(t);
  let pulled = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(100_000));
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { "content-type": "application/json" };
  const response = await call("/api/v1/drafts", { body, headers });
  assert.deepEqual(await problemOf(response), { status: 401, code: "not_signed_in" });
  assert.equal(pulled, 0);
});

test("HUB-8: more bytes than declared are refused", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const draft = await declare(world, headers, 1000);
  const response = await world.call(draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0), "content-length": "2000" },
    body: bytes(2000),
  });
  assert.equal(response.status, 413);
});

test("PUB-1.2: an interrupted body keeps what arrived", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const draft = await declare(world, headers);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent === 40_000) return controller.error(new Error("gone"));
      controller.enqueue(bytes(100_000).slice(sent, sent + 5000));
      sent += 5000;
    },
  });
  await world.call(draft.uploadPath, { method: "PATCH", headers: { ...headers, ...tus(0) }, body });
  const found = (await (
    await world.call(`/api/v1/drafts/${draft.id}`, { headers })
  ).json()) as Draft;
  assert.ok(
    found.offset > 0 && found.offset <= 40_000 && found.offset % 5000 === 0,
    `${found.offset}`,
  );
});

test("STO-4: a disk that refuses while an idle upload is put away harms nobody; the upload opens again", async (t) => {
  const { call, program, disk, clock } = await hubWorld(t);
  const headers = await program();
  const openAppend = disk.openAppend.bind(disk);
  disk.openAppend = async (...args) => {
    const journal = await openAppend(...args);
    return {
      append: (bytes) => journal.append(bytes),
      close: async () => {
        throw Object.assign(new Error("input/output error"), { code: "EIO" });
      },
    };
  };
  const json = { name: "a", folder: false, files: [{ path: "a", size: 10 }] };
  const declared = await call("/api/v1/drafts", { headers, json });
  const { id, uploadPath } = (await declared.json()) as DeclaredDraft;
  clock.fireAll();
  await new Promise((resolve) => setTimeout(resolve, 0));
  Reflect.deleteProperty(disk, "openAppend");
  const body = new Uint8Array(10);
  const sent = await call(uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0) },
    body,
  });
  assert.equal(sent.status, 204, await sent.text());
  const draft = (await (await call(`/api/v1/drafts/${id}`, { headers })).json()) as Draft;
  assert.equal(draft.state, "published");
});

test("a cancelled draft is gone, for its owner and for everybody", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  for (const path of ["", "/content"]) {
    const draft = await declare(world, headers);
    const gone = await world.call(`/api/v1/drafts/${draft.id}${path}`, {
      method: "DELETE",
      headers: { ...headers, "tus-resumable": "1.0.0" },
    });
    assert.equal(gone.status, 204);
    assert.equal((await world.call(`/api/v1/drafts/${draft.id}`, { headers })).status, 404);
    assert.equal((await world.call(`/t/${draft.id}/x`)).status, 404);
  }
  assert.deepEqual(world.disk.paths, []);
});

test("HUB-11: somebody else's draft looks as if it did not exist", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const draft = await declare(world, headers);
  await world.store.db.updateTable("drafts").set({ owner_id: "somebody else" }).execute();
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["HEAD", "/content"],
    ["PATCH", "/content"],
    ["POST", "/pieces"],
    ["DELETE", "/content"],
  ] as const) {
    const response = await world.call(`/api/v1/drafts/${draft.id}${path}`, {
      method,
      headers: { ...headers, ...tus(0) },
      ...(method === "POST" && { json: { v1: "" } }),
    });
    assert.equal(response.status, 404, `${method} ${path}`);
  }
});

test("MET-23: piece hashes end an upload of existing content; invalid ones and strangers' are refused", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const say = (id: string, v1: unknown, more: Record<string, string> = headers) =>
    world.call(`/api/v1/drafts/${id}/pieces`, { json: { v1 }, headers: more });
  const first = await declare(world, headers, 20_000);
  const pieces = [content20.subarray(0, 16_384), content20.subarray(16_384)].map((piece) =>
    sha1(piece),
  );
  const v1 = concatBytes(pieces).toBase64();
  const answer = (await (await say(first.id, v1)).json()) as Draft;
  assert.deepEqual([answer.state, answer.torrent], ["uploading", null], "it is not here yet");
  await world.call(first.uploadPath, {
    method: "PATCH",
    body: content20,
    headers: { ...headers, ...tus(0) },
  });
  // Its declaration does not find the published torrent again.
  const again = await declare(world, headers, 20_000);
  assert.notEqual(again.id, first.id);
  for (const [odd, status] of [
    ["no base64!", 400],
    [17, 400],
    ["", 400],
    [concatBytes([pieces[0]!]).toBase64(), 400],
    ["A".repeat(2_666_672), 400],
    ["A".repeat(7_100_000), 413],
  ] as const) {
    assert.equal((await say(again.id, odd)).status, status, String(odd).slice(0, 20));
  }
  assert.equal((await say(again.id, v1, {})).status, 401);
  const known = (await (await say(again.id, v1)).json()) as Draft;
  assert.deepEqual([known.state, known.torrent?.id], ["published", first.id]);
  const page = await world.call(`/t/${again.id}`);
  assert.match(page.headers.get("location") ?? "", new RegExp(`^/t/${first.id}/`));
});

test("PUB-5.1: a publication has a page, an entry, a magnet link and a .torrent file", async (t) => {
  const world = await hubWorld(t);
  const contents = {
    "b/two.bin": bytes(40_000, 2),
    "a.txt": encodeUtf8("hello"),
    "c.txt": new Uint8Array(0),
  };
  const id = await world.publish(contents, { name: "Harbour talks", comment: "Three of them" });
  const { model, frame } = await world.page(`/t/${id}/harbour-talks?fresh`);
  assert.ok(model.kind === "torrent" && model.fresh);
  assert.equal(model.torrent.name, "Harbour talks");
  assert.equal(model.torrent.publishedBy, "ann");
  assert.equal(model.torrent.comment, "Three of them");
  assert.deepEqual(model.torrent.trackers, [`http://${HOST}/announce`]);
  assert.match(model.torrent.magnet, /^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=/);
  assert.match(model.qr.path, /^(M\d+ \d+h\d+v1h-\d+z)+$/);
  assert.deepEqual(frame.totals, { torrents: 1, bytes: 40_005 });
  const file = await world.call(`/t/${id}.torrent`);
  assert.equal(file.headers.get("content-type"), "application/x-bittorrent");
  assert.match(
    file.headers.get("content-disposition") ?? "",
    /^attachment; filename="Harbour talks\.torrent"/,
  );
  const metainfo = parseMetainfo(new Uint8Array(await file.arrayBuffer()));
  assert.equal(metainfo.info.name, "Harbour talks");
  assert.equal(file.headers.get("cache-control"), "no-cache");
  const moved = await world.call(`/t/${id}/another-name?x=1`);
  assert.equal(moved.status, 301);
  assert.equal(moved.headers.get("location"), `/t/${id}/harbour-talks?x=1`);
  assert.equal((await world.call(`/t/${id}`)).status, 301);
  const list = (await (await world.call("/api/v1/torrents?q=harb")).json()) as TorrentList;
  assert.deepEqual(
    list.torrents.map((torrent) => torrent.id),
    [id],
  );
  const nothing = (await (await world.call("/api/v1/torrents?q=zzz")).json()) as TorrentList;
  assert.deepEqual([nothing.total, nothing.pages], [0, 1]);
  const home = await world.page("/search?q=TALKS&page=nonsense");
  assert.ok(home.model.kind === "catalogue" && home.model.list.total === 1);
  assert.deepEqual(world.logged, []);
});

const TITLE = 'Tides: high & low? "2026" \\ 100% Ebbe — 潮汐';
const titles: [why: string, title: string, saved: string][] = [
  ["what no file may be called", TITLE, TITLE.replace("\\", "_")],
  ["a separator", "Tides 2025/26", "Tides 2025_26"],
  ["an ending turned round", "gpj\u202eexe", "gpj_exe"],
  ["a line break", "a\r\nset-cookie: b", "a__set-cookie: b"],
  ["spaces around", "  tides ", "  tides "],
  ["half a character", "a\ud800b", "a\ufffdb"],
];
for (const [why, title, saved] of titles) {
  test(`A title with ${why} is kept exactly, and no file is renamed`, async (t) => {
    const world = await hubWorld(t);
    const content = { "tides.mp4": bytes(70_000) };
    const id = await world.publish(content, { name: "tides.mp4", folder: false, title });
    const kept = title.toWellFormed();
    const { model } = await world.page(`/t/${id}/${slug(kept)}`);
    assert.ok(model.kind === "torrent");
    assert.equal(model.torrent.name, kept);
    assert.equal(new URL(model.torrent.magnet).searchParams.get("dn"), kept);
    assert.deepEqual(
      model.torrent.files.map(({ path }) => path),
      ["tides.mp4"],
    );
    const detail = (await (await world.call(`/api/v1/torrents/${id}`)).json()) as TorrentDetail;
    assert.equal(detail.name, kept);
    const file = await world.call(`/t/${id}.torrent`);
    const disposition = file.headers.get("content-disposition")!;
    const [, encoded] = /; filename\*=UTF-8''([^;]*)$/.exec(disposition)!;
    assert.equal(decodeURIComponent(encoded!), `${saved}.torrent`);
    assert.match(disposition, /^attachment; filename="[^"]*\.torrent"; /);
    const { info } = parseMetainfo(new Uint8Array(await file.arrayBuffer()));
    assert.equal(info.name, "tides.mp4");
    assert.deepEqual(info.files[0]!.path, ["tides.mp4"]);
    const only = await world.call(model.torrent.files[0]!.downloadPath);
    assert.match(only.headers.get("content-disposition")!, /filename="tides\.mp4"/);
    for (const q of ["tides.mp4", title.match(/[\p{L}\p{N}]+/u)![0]]) {
      const found = await world.call(`/api/v1/torrents?q=${encodeURIComponent(q)}`);
      assert.equal(((await found.json()) as TorrentList).total, 1, q);
    }
  });
}

for (const title of ["", " \t ", "x".repeat(256)]) {
  test(`a title of ${title.length} characters (${JSON.stringify(title.slice(0, 5))}) is refused`, async (t) => {
    const world = await hubWorld(t);
    const response = await world.call("/api/v1/drafts", {
      json: { name: "x", title, folder: false, files: [{ path: "x", size: 1 }] },
      headers: await world.program(),
    });
    assert.deepEqual(await problemOf(response), { status: 400, code: "bad_request" });
  });
}

for (const folder of [true, false]) {
  test(`BEP 19: the web seed serves a ${folder ? "folder" : "file"} by its paths, in ranges, and nothing else`, async (t) => {
    const world = await hubWorld(t);
    const name = folder ? "talks 100% + more" : "a #1?.bin";
    const paths = folder ? ["sub folder/б&=+.bin", "a.txt", "x%2Fy"] : ["ignored"];
    const contents = Object.fromEntries(paths.map((path, index) => [path, bytes(3000, index)]));
    const id = await world.publish(contents, { name, folder });
    const { webSeeds, info } = parseMetainfo(
      new Uint8Array(await (await world.call(`/t/${id}.torrent`)).arrayBuffer()),
    );
    assert.deepEqual(webSeeds, [`http://${HOST}/t/${id}/seed/`]);
    // By BEP 19 the address ends with a slash, so the path in the torrent follows.
    const at = (path: readonly string[]) =>
      new URL(webSeeds[0]! + path.map(encodeURIComponent).join("/")).pathname;
    const real = info.files.filter((file) => !file.pad);
    for (const file of real) {
      const below = folder ? file.path.slice(1).join("/") : "ignored";
      const whole = await world.call(at(file.path));
      assert.equal(whole.status, 200, at(file.path));
      assertSameBytes(new Uint8Array(await whole.arrayBuffer()), contents[below]!);
      const part = await world.call(at(file.path), { headers: { range: "bytes=100-199" } });
      assert.equal(part.status, 206);
      assertSameBytes(new Uint8Array(await part.arrayBuffer()), contents[below]!.slice(100, 200));
    }
    for (const path of ["../everseed.db", `${name}/..`, `${name}/../../x`, ".pad/1", "A.TXT"]) {
      const missing = await world.call(`/t/${id}/seed/${encodeURIComponent(path)}`);
      assert.equal(missing.status, 404, path);
    }
  });
}

test("10,000 files: pages of 200, searched by part of a name", async (t) => {
  const world = await hubWorld(t);
  const contents = Object.fromEntries(
    Array.from({ length: 450 }, (_, index) => [
      `folder/file ${String(index).padStart(4, "0")}`,
      bytes(1, index),
    ]),
  );
  const id = await world.publish(contents, { kind: "v1" });
  const { model } = await world.page(`/t/${id}/talks?page=3`);
  assert.ok(model.kind === "torrent");
  assert.deepEqual(model.fileList, {
    query: "",
    page: 3,
    pages: 3,
    total: 450,
    folders: [{ path: "folder", fileCount: 450, size: 450 }],
  });
  assert.equal(model.torrent.files.length, 50);
  const found = await world.page(`/t/${id}/talks?q=FILE+0044`);
  assert.ok(found.model.kind === "torrent" && found.model.fileList.total === 1);
  assert.equal(found.model.torrent.files[0]?.index, 44);
  const more = (await (
    await world.call(`/api/v1/torrents/${id}/files?offset=400`)
  ).json()) as TorrentFiles;
  assert.deepEqual([more.total, more.offset, more.files.length], [450, 400, 50]);
  const detail = (await (await world.call(`/api/v1/torrents/${id}`)).json()) as TorrentDetail;
  assert.equal(detail.files.length, 200);
});

const content = bytes(1000);
test("files are listed in natural order below their folders, each folder with its whole content", async (t) => {
  const world = await hubWorld(t);
  const paths = ["b/10.txt", "b/9.txt", "b/inner/1.txt", "a 10.txt", "a 9.txt", "A 1.txt"];
  const id = await world.publish(
    Object.fromEntries(paths.map((path, index) => [path, bytes(index + 1, index)])),
  );
  const { model } = await world.page(`/t/${id}/talks`);
  assert.ok(model.kind === "torrent");
  assert.deepEqual(
    model.torrent.files.map((file) => file.path),
    ["A 1.txt", "a 9.txt", "a 10.txt", "b/9.txt", "b/10.txt", "b/inner/1.txt"],
  );
  assert.deepEqual(model.fileList.folders, [
    { path: "b", fileCount: 3, size: 6 },
    { path: "b/inner", fileCount: 1, size: 3 },
  ]);
  for (const file of model.torrent.files) {
    const response = await world.call(file.downloadPath);
    assert.equal((await response.bytes()).length, paths.indexOf(file.path) + 1, file.path);
  }
});

test("ninety nested folders are shown as a few, and the file can still be found", async (t) => {
  const world = await hubWorld(t);
  const deep = `${"d/".repeat(90)}x.txt`;
  const id = await world.publish({ [deep]: bytes(3), "y.txt": bytes(2) }, { kind: "v1" });
  const { model } = await world.page(`/t/${id}/talks`);
  assert.ok(model.kind === "torrent");
  assert.equal(model.fileList.folders.length, FOLDER_DEPTH_MAX);
  assert.equal(model.torrent.files[1]?.path, deep);
});

test("HUB-19: a damaged torrent does not count the everseed as a seed, and offers no download that fails", async (t) => {
  const world = await hubWorld(t);
  const contents = { "a.bin": bytes(1000), "b.bin": bytes(500, 1), c: bytes(9) };
  const id = await world.publish(contents, { kind: "v1" });
  const look = async () => {
    const { model } = await world.page(`/t/${id}/talks`, { headers: { cookie: "fresh=1" } });
    assert.ok(model.kind === "torrent");
    return model;
  };
  const whole = await look();
  assert.deepEqual([whole.torrent.swarm.seeds, whole.torrent.wholeFileCount], [1, 3]);
  assert.equal(whole.zipPath, `/t/${id}.zip`);
  assert.deepEqual(whole.pieces, { copies: [1], lacking: [], missing: 0 });

  const none = new Set<number>();
  const words = "1 of 3 files is lost.";
  world.damage.now = { words, all: false, lostFiles: new Set([1]), lostPieces: none };
  const lost = await look();
  assert.equal(lost.torrent.swarm.fault, words);
  assert.equal(lost.torrent.swarm.seeds, 0);
  assert.equal(lost.torrent.wholeFileCount, 0, "the others share its piece, and cannot be judged");
  assert.equal(lost.zipPath, null, "it would break off in the middle");
  assert.deepEqual(
    lost.torrent.files.map((file) => file.whole),
    [false, false, false],
  );
  assert.deepEqual(lost.pieces, { copies: [0], lacking: [0], missing: 1 });
  const api = await (await world.call(`/api/v1/torrents/${id}`)).json();
  assert.partialDeepStrictEqual(api, { wholeFileCount: 0, swarm: { seeds: 0 } });

  world.damage.now = { words, all: true, lostFiles: none, lostPieces: none };
  assert.equal((await look()).torrent.wholeFileCount, 0);
  world.count.seeds = 4;
  const elsewhere = await look();
  assert.equal(elsewhere.torrent.swarm.seeds, 3);
  assert.deepEqual(elsewhere.pieces, { copies: [3], lacking: [0], missing: 1 });
});

test("HUB-19: a truncated or missing file is refused with what repairs it, and is checked", async (t) => {
  const world = await hubWorld(t);
  const files = { "a.bin": bytes(1000), "b.bin": bytes(500, 1) };
  const id = await world.publish(files, { kind: "hybrid" });
  const { location } = (await world.parts.catalogue.file(id, 0))!;
  for (const harm of [
    () => world.disk.write(location, bytes(999)),
    () => world.disk.remove(location),
  ]) {
    await harm();
    const response = await world.call(`/t/${id}/files/0/a.bin`);
    assert.equal(response.status, 500);
    assert.match(await response.text(), /damaged on the disk.*Publishing the same files again/);
    assert.equal((await world.call(`/t/${id}/files/1/b.bin`)).status, 200);
  }
  assert.deepEqual(world.lookedAt, [id, id]);
});

test("a description is rendered as Markdown once for the page, and the API returns it as it was typed", async (t) => {
  const world = await hubWorld(t);
  const comment = "**Bold**, <b>not</b>, [bad](javascript:alert(1))";
  const id = await world.publish({ "a.bin": bytes(9) }, { comment });
  const { model } = await world.page(`/t/${id}/talks`);
  assert.ok(model.kind === "torrent");
  assert.deepEqual(model.description, [
    {
      kind: "paragraph",
      inlines: [
        { kind: "strong", inlines: ["Bold"] },
        ", ",
        "<b>",
        "not",
        "</b>",
        ", ",
        "[bad](javascript:alert(1))",
      ],
    },
  ]);
  const api = await (await world.call(`/api/v1/torrents/${id}`)).json();
  assert.partialDeepStrictEqual(api, { comment });
});

test("strangers can read the help page, and it can be cached", async (t) => {
  const world = await hubWorld(t);
  assert.deepEqual((await world.page("/help")).model, { kind: "help" });
});

const ranges: [range: string, status: number, first: number, end: number][] = [
  ["bytes=0-0", 206, 0, 1],
  ["bytes=10-19", 206, 10, 20],
  ["bytes=990-", 206, 990, 1000],
  ["bytes=-10", 206, 990, 1000],
  ["bytes=-5000", 206, 0, 1000],
  ["bytes=999-5000", 206, 999, 1000],
  ["bytes=1000-", 416, 0, 0],
  ["bytes=-0", 416, 0, 0],
  ["bytes=9-8", 200, 0, 1000],
  ["bytes=a-b", 200, 0, 1000],
  ["bytes=-", 200, 0, 1000],
  ["bytes=0-1,5-6", 200, 0, 1000],
  ["bytes=99999999999999999999-", 200, 0, 1000],
  ["lines=0-1", 200, 0, 1000],
];
for (const [range, status, first, end] of ranges) {
  test(`direct download, range ${range}: ${status}`, async (t) => {
    const world = await hubWorld(t);
    const id = await world.publish({ "a.bin": content });
    const path = `/t/${id}/files/0/a.bin`;
    const response = await world.call(path, { headers: { range } });
    assert.equal(response.status, status);
    const got = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual(got, content.slice(first, end));
    if (status === 206) {
      assert.equal(response.headers.get("content-range"), `bytes ${first}-${end - 1}/1000`);
      assert.equal(response.headers.get("content-length"), String(end - first));
    }
    if (status === 416) assert.equal(response.headers.get("content-range"), "bytes */1000");
    const head = await world.call(path, { method: "HEAD", headers: { range } });
    assert.equal(head.status, status);
    assert.equal(head.headers.get("content-length"), status === 416 ? null : String(end - first));
    assert.equal((await head.arrayBuffer()).byteLength, 0);
  });
}

test("direct download: versions, empty files, and a hostile name", async (t) => {
  const world = await hubWorld(t);
  const evil = 'x".html\u2028\u00e9.svg';
  const id = await world.publish({ [evil]: content, empty: new Uint8Array(0) });
  const files = (await world.parts.catalogue.files(id))!.slice(0, Infinity);
  const index = files.findIndex((file) => file.size > 0);
  const path = `/t/${id}/files/${index}/whatever.html`;
  const response = await world.call(path);
  const etag = response.headers.get("etag")!;
  assert.equal(response.headers.get("content-type"), "application/octet-stream");
  assert.match(response.headers.get("content-security-policy") ?? "", /^sandbox/);
  assert.match(
    response.headers.get("content-disposition") ?? "",
    /^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''[\x21-\x7e]+$/,
  );
  assert.equal(response.headers.get("accept-ranges"), "bytes");
  const range = { range: "bytes=0-9" };
  assert.equal((await world.call(path, { headers: { ...range, "if-range": etag } })).status, 206);
  assert.equal(
    (await world.call(path, { headers: { ...range, "if-range": '"other"' } })).status,
    200,
  );
  assert.equal((await world.call(path, { headers: { "if-none-match": etag } })).status, 304);
  const empty = await world.call(`/t/${id}/files/${1 - index}/empty`);
  assert.equal(empty.status, 200);
  assert.equal(empty.headers.get("content-length"), "0");
  assert.equal((await empty.arrayBuffer()).byteLength, 0);
  assert.equal((await world.call(`/t/${id}/files/2/x`)).status, 404);
});

test("HUB-21: live figures arrive at once and on changes; silent readers are dropped, too many are refused", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ a: content });
  const path = `/api/v1/torrents/${id}/live`;
  const response = await world.call(path);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const reader = response.body!.getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value as Uint8Array);
  assert.match(await next(), /^event: figures\ndata: \{"seeds":1,"leechers":0,.*\}\n\n$/);
  world.count.leechers = 5;
  world.clock.fireAll();
  assert.match(await next(), /"leechers":5/);
  for (let tick = 0; tick < 15; tick += 1) world.clock.fireAll();
  assert.match(await next(), /^: /);
  // From here on nobody reads.
  for (let tick = 0; tick < 200; tick += 1) {
    world.count.leechers += 1;
    world.clock.fireAll();
  }
  await assert.rejects(async () => {
    for (;;) if ((await reader.read()).done) return;
  }, /does not read/);
  const many = [];
  for (let count = 0; count < 100; count += 1) many.push(await world.call(path));
  assert.deepEqual(await problemOf(await world.call(path)), { status: 503, code: "busy" });
  await many[0]!.body!.cancel();
  const free = await world.call(path);
  assert.equal(free.status, 200);
  assert.equal((await world.call("/api/v1/torrents/zzz/live")).status, 404);
});

test("HUB-5: names that contain markup travel as data, and pages show them unchanged", async (t) => {
  const world = await hubWorld(t);
  const name = "<script>alert(1)</script>";
  const id = await world.publish(
    { a: content },
    { name, comment: "\u0000<img src=x onerror=alert(1)>" },
  );
  const { model } = await world.page(`/t/${id}/${encodeURIComponent("script-alert-1-script")}`);
  assert.ok(model.kind === "torrent");
  assert.match(
    model.torrent.pageUrl,
    /^http:\/\/127\.0\.0\.1:8420\/t\/[0-9a-z]{8}\/script-alert-1-_?script$/,
  );
});

test("publishing the same content again leads to the page of the first", async (t) => {
  const world = await hubWorld(t);
  const first = await world.publish({ a: content }, { trackers: [] });
  const second = await world.publish({ a: content }, { comment: "again" });
  assert.notEqual(first, second);
  const response = await world.call(`/t/${second}/talks`);
  assert.equal(response.headers.get("location"), `/t/${first}/talks`);
  assert.equal((await world.call(`/t/${second}.torrent`)).status, 200);
});

test("HUB-9: signing in through the API slows down too", async (t) => {
  const world = await hubWorld(t);
  const json = { name: "ann", password: "wrong" };
  for (let tries = 0; tries < 5; tries += 1) await world.call("/api/v1/session", { json });
  const response = await world.call("/api/v1/session", { json: { ...json, password: PASSWORD } });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "1");
});
