import assert from "node:assert/strict";
import { test } from "node:test";
import { draftInputSchema } from "../../src/api/drafts.ts";
import type { TorrentPage } from "../../src/api/pages.ts";
import { Hub } from "../../src/hub/hub.ts";
import { WorkAccount } from "../../src/hub/work-budget.ts";
import { HOST, hubWorld, problemOf } from "./hub-world.ts";

// No request of a stranger holds the thread for long or takes all of it (HUB-27). Work is counted, not timed.

const FILES = 2_000;
const contents = Object.fromEntries(
  Array.from({ length: FILES }, (_, index) => [
    `Day ${index % 5}/talk ${index}.flac`,
    new Uint8Array(0),
  ]),
);

test("forty searches at once in a long list of files: the list is read once, and everybody else has turns", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ ...contents, "one.txt": new Uint8Array([1]) });
  let reads = 0;
  const read = world.disk.read.bind(world.disk);
  world.disk.read = async (path) => {
    if (path.endsWith(".torrent")) reads += 1;
    return read(path);
  };
  // Each reading of the clock takes a while, so that work is cut into turns.
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

test("a stranger with ever new queries is told to wait; nobody else is, and that page is not cached", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(contents);
  world.clock.nowMs = () => (world.clock.wall += 1);
  const ask = (query: number, remoteAddress: string) =>
    world.call(`/t/${id}/talks?q=${query}`, { remoteAddress });
  let query = 0;
  let response = await ask(query, "192.0.2.1");
  while (response.status === 200 && query < 2_000) response = await ask((query += 1), "192.0.2.1");
  assert.equal(response.status, 429);
  assert.match(await response.text(), /Wait a few seconds/);
  assert.ok(Number(response.headers.get("retry-after")) >= 1);
  const api = await world.call(`/api/v1/torrents/${id}`, { remoteAddress: "192.0.2.1" });
  assert.deepEqual(await problemOf(api), { status: 429, code: "too_many_requests" });
  assert.equal((await ask(query, "192.0.2.2")).status, 200);
  assert.equal((await ask(query + 1, "127.0.0.1")).status, 200);
  world.clock.wall += 60_000;
  assert.equal((await ask(query + 2, "192.0.2.1")).status, 200);
});

test("HUB-40: three hundred searches of one stranger at once cause no refusal for anybody else", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(contents);
  await world.page(`/t/${id}/talks`);
  // Work is cut into turns, so that much of it is in progress.
  world.clock.nowMs = () => (world.clock.wall += 0.5);
  const ask = async (query: string, remoteAddress: string) =>
    world.call(`/t/${id}/talks?q=${query}`, { remoteAddress });
  const greedy = Array.from({ length: 300 }, (_, index) => ask(`talk+${index}`, "192.0.2.1"));
  const others = Array.from({ length: 20 }, (_, index) =>
    ask(`talk+${index}`, `198.51.100.${index}`),
  );
  for (const response of await Promise.all(others)) assert.equal(response.status, 200);
  let refused = 0;
  for (const response of await Promise.all(greedy)) {
    assert.ok([200, 429].includes(response.status), `${response.status}`);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    if (response.status !== 429) continue;
    refused += 1;
    assert.match(response.headers.get("content-type")!, /^text\/plain/);
    assert.ok(Number(response.headers.get("retry-after")) >= 1);
  }
  assert.ok(refused > 200, `${refused} refused`);
  assert.deepEqual(world.logged, []);
  world.clock.wall += 60_000;
  assert.equal((await ask("talk+1", "192.0.2.1")).status, 200, "a minute later");
});

test("HUB-40: work of a stranger who is refused starts over for the others who wait for it", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(contents);
  const { catalogue } = world.parts;
  const refusing = { run: () => Promise.reject(new Error("no place")) };
  const asks = [
    (workers?: typeof refusing) => catalogue.metainfo(id, workers),
    (workers?: typeof refusing) => catalogue.fileIndex(id, workers),
    (workers?: typeof refusing) => catalogue.fileAt(id, "talks/Day 0/talk 0.flac", workers),
  ];
  // Nothing is read before all wait for it.
  const gate = Promise.withResolvers<void>();
  const read = world.disk.read.bind(world.disk);
  world.disk.read = async (path) => {
    await gate.promise;
    return read(path);
  };
  for (const ask of asks) {
    const settled = Promise.allSettled([ask(refusing), ask(), ask()]);
    for (let turns = 0; turns < 50; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    gate.resolve();
    const [first, ...others] = await settled;
    assert.equal(first.status, "rejected");
    for (const other of others) assert.ok(other.status === "fulfilled" && other.value);
  }
});

test("HUB-43: a search of the catalogue is charged to the address that searches", async (t) => {
  const world = await hubWorld(t);
  await world.publish({ a: new Uint8Array([1]) });
  const { catalogue } = world.parts;
  const search = catalogue.search.bind(catalogue);
  const payers: unknown[] = [];
  catalogue.search = async (wanted, workers) => {
    payers.push(workers);
    return search(wanted, workers);
  };
  for (const path of ["/", "/search?q=talks", "/api/v1/torrents?q=talks"]) {
    assert.equal((await world.call(path)).status, 200);
  }
  assert.equal(payers.length, 3);
  for (const payer of payers) assert.ok(payer instanceof WorkAccount);
});

const PASSKEY = "pa55keyOfSomebody0123456789";

test("HUB-40, TRK-13: when no page can be rendered, the answer is text with an id and all headers, and the log has one cause", async (t) => {
  const world = await hubWorld(t);
  const broken = {
    ...world.parts,
    renderer: () => Promise.reject(new Error("the pages are gone")),
    tracker: ({ url }: Request) => {
      if (url.includes("/announce")) throw new Error("the tracker is gone");
      return undefined;
    },
  };
  const hub = new Hub(broken);
  t.after(() => hub.close());
  const paths: [path: string, status: number][] = [
    ["/", 500],
    ["/nothing/here", 404],
    ["/t/zzzz/x", 404],
    ["/announce?info_hash=x", 500],
    [`/${PASSKEY}/announce?passkey=${PASSKEY}`, 500],
  ];
  for (const [path, status] of paths) {
    const request = new Request(`http://${HOST}${path}`, {
      headers: { host: HOST, accept: "text/html" },
    });
    const context = { remoteAddress: "192.0.2.1", localAddress: "127.0.0.1" };
    const response = await hub.handle(request, context);
    assert.equal(response.status, status, path);
    assert.match(response.headers.get("content-type")!, /^text\/plain/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("cache-control"), "no-store");
    const text = await response.text();
    assert.doesNotMatch(text, /(?:pages are|tracker is) gone|at .*\.ts/);
    const id = /The number of the error: ([0-9a-f]{8})/.exec(text)?.[1];
    assert.equal(id !== undefined, status === 500, path);
    if (id) assert.ok(world.logged.some((line) => line.includes(id)));
    assert.ok(!text.includes(PASSKEY) && !world.logged.join("").includes(PASSKEY.slice(0, 5)));
  }
  const wrongHost = new Request("http://evil.example/", {
    headers: { host: "evil.example", accept: "text/html" },
  });
  const context = { remoteAddress: "192.0.2.1", localAddress: "127.0.0.1" };
  assert.ok((await hub.handle(wrongHost, context)).status >= 400, "not even to a name not ours");
});

test("HUB-42: a request with odd headers changes no page for anybody else", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ a: new Uint8Array([1]) });
  const odd: Record<string, string>[] = [
    { "content-encoding": "gzip" },
    { "content-encoding": "br", accept: "text/html" },
    { origin: "http://evil.example", "sec-fetch-site": "cross-site" },
    { range: "bytes=0-1", "if-none-match": "*", "if-modified-since": "x" },
    { "x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https", forwarded: "host=evil.example" },
    { "accept-language": "x", accept: "application/json", expect: "x", te: "x" },
  ];
  for (const [index, headers] of odd.entries()) {
    for (const path of [
      `/?${index}`,
      `/search?q=${index}`,
      `/t/${id}/talks?${index}`,
      `/help?${index}`,
    ]) {
      await world.call(path, { headers, remoteAddress: "192.0.2.1" });
      const plain = await world.call(path, { remoteAddress: "192.0.2.2" });
      assert.equal(plain.status, 200, `${path} after ${JSON.stringify(headers)}`);
      assert.doesNotMatch(await plain.text(), /evil|9\.9\.9\.9/);
    }
  }
});

test("the page of an unfinished upload opens nothing, whoever visits it", async (t) => {
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

test("a declaration is validated file by file by its schema", async (t) => {
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
