import assert from "node:assert/strict";
import { test } from "node:test";
import { draftInputSchema } from "../../src/api/drafts.ts";
import type { TorrentPage } from "../../src/api/pages.ts";
import { hubWorld, problemOf } from "./hub-world.ts";

// No request of a stranger holds the thread for long, and nobody has all of it (HUB-27). Work is counted, not timed.

const FILES = 2_000;
const contents = Object.fromEntries(
  Array.from({ length: FILES }, (_, index) => [
    `Day ${index % 5}/talk ${index}.flac`,
    new Uint8Array(0),
  ]),
);

test("forty searches at once in a long list of files: one reading, and everybody else has turns", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ ...contents, "one.txt": new Uint8Array([1]) });
  let reads = 0;
  const read = world.disk.read.bind(world.disk);
  world.disk.read = async (path) => {
    if (path.endsWith(".torrent")) reads += 1;
    return read(path);
  };
  // Each look at the clock takes a while, so that work is cut into turns.
  world.clock.nowMs = () => (world.clock.wall += 0.5);
  let turns = 0;
  const startTimer = world.clock.startTimer.bind(world.clock);
  world.clock.startTimer = (delayMs, fire) => {
    if (delayMs === 0) turns += 1;
    return startTimer(delayMs, fire);
  };
  const pages = await Promise.all(
    Array.from({ length: 40 }, (_, index) => world.page(`/t/${id}/talks?q=talk+${index}`)),
  );
  for (const [index, page] of pages.entries()) {
    const { model } = page as { model: TorrentPage };
    const expected = Object.keys(contents).filter(
      (path) => path.includes("talk") && path.includes(String(index)),
    );
    assert.equal(model.fileList.total, expected.length, `talk ${index}`);
  }
  assert.equal(reads, 1);
  assert.ok(turns > 40, `${turns} turns`);
});

test("a stranger with ever new queries is told to wait; nobody else is, and no page of that is kept", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(contents);
  world.clock.nowMs = () => (world.clock.wall += 1);
  const ask = (query: number, remoteAddress: string) =>
    world.call(`/t/${id}/talks?q=${query}`, { remoteAddress });
  let query = 0;
  let response = await ask(query, "192.0.2.1");
  while (response.status === 200 && query < 2_000) response = await ask((query += 1), "192.0.2.1");
  assert.equal(response.status, 429);
  assert.match(await response.text(), /Wait for some seconds/);
  assert.ok(Number(response.headers.get("retry-after")) >= 1);
  const api = await world.call(`/api/v1/torrents/${id}`, { remoteAddress: "192.0.2.1" });
  assert.deepEqual(await problemOf(api), { status: 429, code: "too_many_requests" });
  assert.equal((await ask(query, "192.0.2.2")).status, 200);
  assert.equal((await ask(query + 1, "127.0.0.1")).status, 200);
  world.clock.wall += 60_000;
  assert.equal((await ask(query + 2, "192.0.2.1")).status, 200);
});

test("the page of an unfinished upload opens nothing, whoever looks", async (t) => {
  const world = await hubWorld(t);
  const declared = await world.call("/api/v1/drafts", {
    headers: await world.program(),
    json: { name: "talks", folder: true, files: [{ path: "a", size: 5 }] },
  });
  const { id } = (await declared.json()) as { id: string };
  await world.parts.publisher.stop();
  const page = await world.page(`/t/${id}/talks`, { remoteAddress: "192.0.2.1" });
  assert.equal((page.model as { kind: string }).kind, "upload");
});

test("a declaration is judged file by file as its schema says", async (t) => {
  const world = await hubWorld(t);
  const headers = await world.program();
  const good = { path: "a", size: 1 };
  const base = { name: "talks", folder: true, files: [good] };
  const bodies: unknown[] = [
    null,
    [],
    { ...base, files: [] },
    { ...base, files: {} },
    { ...base, files: [good, { path: "", size: 1 }] },
    { ...base, files: [good, { path: "b", size: -1 }] },
    { ...base, files: [good, 7] },
    { ...base, name: "" },
    { ...base, kind: "v3" },
    { ...base, title: " " },
  ];
  for (const json of bodies) {
    assert.equal(draftInputSchema.safeParse(json).success, false);
    const response = await world.call("/api/v1/drafts", { headers, json });
    assert.deepEqual(await problemOf(response), { status: 400, code: "bad_request" });
  }
  const odd = { ...base, files: [{ ...good, more: "left out" }], more: "left out" };
  assert.equal((await world.call("/api/v1/drafts", { headers, json: odd })).status, 201);
  const broken = await world.call("/api/v1/drafts", {
    headers: { ...headers, "content-type": "application/json" },
    body: "{",
  });
  assert.equal(broken.status, 400);
  const plain = await world.call("/api/v1/drafts", {
    headers: { ...headers, "content-type": "text/plain" },
    body: JSON.stringify(base),
  });
  assert.equal(plain.status, 400);
});
