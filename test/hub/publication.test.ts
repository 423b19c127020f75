import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import { FOLDER_DEPTH_MAX } from "../../src/api/pages.ts";
import type { TorrentDetail, TorrentFiles, TorrentList } from "../../src/api/torrents.ts";
import { slug } from "../../src/api/paths.ts";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { HOST, hubWorld, problemOf } from "./hub-world.ts";
import { bytes } from "./some-bytes.ts";

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
