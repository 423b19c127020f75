import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeclaredDraft, Draft } from "../../src/api/drafts.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { bytes } from "./some-bytes.ts";
import { HOST, hubWorld, PASSWORD, problemOf, tus, type World } from "./hub-world.ts";

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

test("HUB-9: signing in through the API slows down too", async (t) => {
  const world = await hubWorld(t);
  const json = { name: "ann", password: "wrong" };
  for (let tries = 0; tries < 5; tries += 1) await world.call("/api/v1/session", { json });
  const response = await world.call("/api/v1/session", { json: { ...json, password: PASSWORD } });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "1");
});
