import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenAPIHono } from "@hono/zod-openapi";
import { transferContentPath, transferLinkPath } from "../../src/api/paths.ts";
import type { MediaLinkView } from "../../src/api/transfers.ts";
import { transferContentRoutes } from "../../src/hub/api-transfer-content.ts";
import { refusalOf } from "../../src/hub/failures.ts";
import type { HubEnv } from "../../src/hub/hub-parts.ts";
import { MediaLinks } from "../../src/hub/media-links.ts";
import { problemResponse } from "../../src/hub/problems.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { HOME } from "../commands/simulated-world.ts";
import { TransferCalls } from "./transfer-calls.ts";
import { type NodeRun, TransfersWorld } from "./transfers-world.ts";

const SIZES = { "film.mkv": 3_000_000, "index.html": 70_000, "notes.txt": 0 };
const RATE = 100_000;

/** A node that seeds a film, a page and an empty file. */
async function seeding(seed: number) {
  const world = new TransfersWorld(seed);
  const machine = world.machine();
  const { bytes, contents } = await world.torrentOf(machine, SIZES);
  const seeder = await world.node(machine, { settings: { idleSeedsMax: 0 } });
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  await world.until("it seeds", async () => {
    return (await seeder.transfers.find(id))!.state.kind === "seeding";
  });
  return { world, seeder, id, bytes, film: contents.get("film.mkv")!, contents };
}

/** And one that downloads it slowly. */
async function downloading(seed: number) {
  const found = await seeding(seed);
  const { world, bytes } = found;
  const node = await world.node(world.machine());
  const choices = { downBytesPerSecond: RATE };
  await world.run(node.transfers.add({ torrent: bytes }, { choices }));
  await world.until("it downloads", async () => {
    return (await node.transfers.find(found.id))!.done > 0;
  });
  return { ...found, node, calls: new TransferCalls(world, node) };
}

function sentBy(world: TransfersWorld, answer: Response): Promise<Buffer> {
  return world.run(answer.arrayBuffer().then((bytes) => Buffer.from(bytes)));
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  assert.ok(body);
  return (body as ReadableStream<Uint8Array>).getReader();
}

function assertPart(bytes: Buffer, film: Uint8Array, first: number, last: number): void {
  assert.ok(bytes.equals(Buffer.from(film.subarray(first, last + 1))), `${first} to ${last}`);
}

function ask(range: string, more: Readonly<Record<string, string>> = {}) {
  return { range: `bytes=${range}`, ...more };
}

test("a file is answered whole and in parts, to GET and HEAD, with validators; a page is a download in a sandbox", async () => {
  const { world, seeder, id, film, contents } = await seeding(91);
  const calls = new TransferCalls(world, seeder);
  const path = transferContentPath(id.slice(0, 5), 0);
  const whole = await calls.send("GET", path);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers.get("content-type"), "video/x-matroska");
  assert.match(whole.headers.get("content-disposition")!, /^inline; filename="film\.mkv"/);
  assert.match(whole.headers.get("content-security-policy")!, /^sandbox; default-src 'none'/);
  assert.equal(whole.headers.get("x-content-type-options"), "nosniff");
  assertPart(await sentBy(world, whole), film, 0, film.length - 1);
  const etag = whole.headers.get("etag")!;
  for (const [range, first, last] of [
    ["0-0", 0, 0],
    ["1000000-1999999", 1_000_000, 1_999_999],
    ["-500", film.length - 500, film.length - 1],
    ["2999990-9999999", film.length - 10, film.length - 1],
  ] as const) {
    const part = await calls.send("GET", path, undefined, ask(range, { "if-range": etag }));
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-range"), `bytes ${first}-${last}/${film.length}`);
    assert.equal(part.headers.get("content-length"), String(last + 1 - first));
    assertPart(await sentBy(world, part), film, first, last);
  }
  const other = await calls.send("GET", path, undefined, ask("0-9", { "if-range": '"other"' }));
  assert.equal(other.status, 200);
  await other.body!.cancel();
  const beyond = await calls.send("GET", path, undefined, ask("3000000-"));
  assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */3000000"]);
  const known = await calls.send("GET", path, undefined, { "if-none-match": etag });
  assert.equal(known.status, 304);
  const head = await calls.send("HEAD", path, undefined, ask("0-99"));
  assert.deepEqual([head.status, head.headers.get("content-length")], [206, "100"]);
  assert.equal(head.body, null);
  const page = await calls.send("GET", transferContentPath(id, 1));
  assert.equal(page.headers.get("content-type"), "application/octet-stream");
  assert.match(page.headers.get("content-disposition")!, /^attachment; /);
  assert.equal(
    page.headers.get("content-security-policy"),
    "sandbox; default-src 'none'; frame-ancestors 'none'",
  );
  assert.ok((await sentBy(world, page)).equals(Buffer.from(contents.get("index.html")!)));
  const empty = await calls.send("GET", transferContentPath(id, 2));
  assert.deepEqual([empty.status, (await sentBy(world, empty)).length], [200, 0]);
  await seeder.stop();
});

test("while it downloads a seek is answered before the rest, two readers at once, also of a file that is left out", async () => {
  const { world, seeder, node, calls, id, film, contents } = await downloading(92);
  await world.run(node.transfers.edit(id, { files: { 1: "skip" } }));
  const path = transferContentPath(id, 0);
  const ask1 = await calls.send("GET", path, undefined, ask("2800000-2849999"));
  const ask2 = await calls.send("GET", path, undefined, ask("1500000-1549999"));
  const parts = Promise.all([ask1.arrayBuffer(), ask2.arrayBuffer()]);
  const [late, middle] = (await world.run(parts)).map((part) => Buffer.from(part));
  assertPart(late!, film, 2_800_000, 2_849_999);
  assertPart(middle!, film, 1_500_000, 1_549_999);
  const { done } = (await world.run(node.transfers.find(id)))!;
  assert.ok(done < 1_000_000, `${done} bytes were there`);
  const page = await calls.send("GET", transferContentPath(id, 1));
  assert.ok((await sentBy(world, page)).equals(Buffer.from(contents.get("index.html")!)));
  await node.stop();
  await seeder.stop();
});

test("a reader that goes away frees what it asked for: nothing more of a file that is left out is fetched", async () => {
  const { world, seeder, node, calls, id } = await downloading(93);
  await world.run(node.transfers.edit(id, { files: { 0: "skip" } }));
  await world.until("the page is there", async () => {
    return (await node.transfers.find(id))!.state.kind === "seeding";
  });
  const before = (await world.run(node.transfers.find(id)))!.downloaded;
  const answer = await calls.send("GET", transferContentPath(id, 0));
  const reader = readerOf(answer);
  await world.run(reader.read());
  await world.run(reader.cancel());
  await world.pass(2_000);
  const soon = (await world.run(node.transfers.find(id)))!.downloaded;
  assert.ok(soon > before, "something was fetched for it");
  await world.pass(20_000);
  const later = (await world.run(node.transfers.find(id)))!.downloaded;
  assert.equal(later, soon, "and nothing more");
  await node.stop();
  await seeder.stop();
});

test("a sleeping seed is woken, and stays awake while somebody reads; a change of its owner ends no reader", async () => {
  const { world, seeder, id, film } = await seeding(94);
  await world.pass(10 * 60_000);
  assert.equal([...seeder.session.torrents()].length, 0, "it sleeps");
  const calls = new TransferCalls(world, seeder);
  const answer = await calls.send("GET", transferContentPath(id, 0));
  const reader = readerOf(answer);
  const got: Uint8Array[] = [(await world.run(reader.read())).value!];
  await world.pass(30 * 60_000);
  assert.equal([...seeder.session.torrents()].length, 1, "it waits for a player that pauses");
  await world.run(seeder.transfers.rename(id, "talks/film.mkv", "movie.mkv"));
  for (;;) {
    const { done, value } = await world.run(reader.read());
    if (done) break;
    got.push(value);
  }
  assertPart(Buffer.concat(got), film, 0, film.length - 1);
  await world.pass(20 * 60_000);
  assert.equal([...seeder.session.torrents()].length, 0, "it sleeps again");
  await seeder.stop();
});

test("what cannot be read now is refused in words: stopped, waiting, unknown; a stop ends the stream of a reader", async () => {
  const { world, seeder, node, calls, id, bytes } = await downloading(95);
  const path = transferContentPath(id, 0);
  const answer = await calls.send("GET", path);
  const reader = readerOf(answer);
  await world.run(reader.read());
  await world.run(node.transfers.stop(id));
  await assert.rejects(async () => {
    for (;;) if ((await world.run(reader.read())).done) return;
  }, /stopped by you/);
  const refused = await calls.send("GET", path);
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.deepEqual([refused.status, error.code], [409, "conflict"]);
  assert.match(error.message, /paused: stopped by you/);
  await world.run(node.transfers.start(id));
  await world.pass(1_000);
  for (const index of [3, 99]) {
    const [status] = await calls.refusal("GET", transferContentPath(id, index));
    assert.equal(status, 404);
  }
  assert.deepEqual(await calls.refusal("GET", transferContentPath("0000", 0)), [404, "not_found"]);
  assert.deepEqual(await calls.refusal("GET", `${path.replace("/0/", "/x/")}`), [
    400,
    "bad_request",
  ]);
  const link = `magnet:?xt=urn:btih:${"ab".repeat(20)}`;
  const unknown = await world.run(node.transfers.add({ link }));
  await world.pass(1_000);
  const finding = await calls.send("GET", transferContentPath(unknown.id, 0));
  assert.match(await finding.text(), /not known yet/);
  const queued = await world.node(world.machine(), { settings: { downloadsMax: 1 } });
  await world.run(queued.transfers.add({ link }));
  await world.run(queued.transfers.add({ torrent: bytes }));
  await world.pass(1_000);
  const waiting = await new TransferCalls(world, queued).send("GET", path);
  assert.match(await waiting.text(), /waits until other downloads end/);
  for (const run of [queued, node, seeder]) await run.stop();
});

/** The routes as somebody meets them who has no account. */
function asStranger({ transfers, machine }: NodeRun, links: MediaLinks): OpenAPIHono<HubEnv> {
  const { clock, random } = machine.ports;
  const openUrl = (): Promise<never> => Promise.reject(new Error("no URL is named"));
  const app = new OpenAPIHono<HubEnv>();
  const parts = { random, log: SILENT_LOG, isDiskFull: () => false };
  app.onError((error, c) => problemResponse(refusalOf(error, c.req.path, parts)));
  app.use(async (c, next) => {
    c.set("actor", { kind: "stranger" });
    await next();
  });
  const disks = async (): Promise<[]> => [];
  const watched = (): [] => [];
  const needs = { service: transfers, openUrl, disks, clock, links, watched };
  app.route("/api/v1", transferContentRoutes(needs));
  return app;
}

test("HUB-1 a link reads one file for a day without a password; everything else is refused", async () => {
  const { world, seeder, id, film } = await seeding(96);
  const { clock, random } = seeder.machine.ports;
  const calls = new TransferCalls(world, seeder);
  const { path } = await calls.json<MediaLinkView>("POST", transferLinkPath(id.slice(0, 6), 0));
  assert.ok(path.startsWith(`${transferContentPath(id, 0)}?token=`), path);
  let laterMs = 0;
  const links = new MediaLinks(random, { wallMs: () => clock.wallMs() + laterMs });
  const app = asStranger(seeder, links);
  const get = (where: string, headers = {}): Promise<Response> =>
    world.run(Promise.resolve(app.request(where, { headers })));
  const { token } = links.sign(id, 0);
  const answer = await get(`${transferContentPath(id, 0)}?token=${token}`, ask("5-14"));
  assert.equal(answer.status, 206);
  assertPart(await sentBy(world, answer), film, 5, 14);
  const wrong = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  for (const where of [
    path,
    transferContentPath(id, 0),
    `${transferContentPath(id, 0)}?token=${wrong}`,
    `${transferContentPath(id, 0)}?token=`,
    `${transferContentPath(id, 1)}?token=${token}`,
    `${transferContentPath(id.slice(0, 8), 0)}?token=${token}`,
    `${transferContentPath("ab".repeat(20), 0)}?token=${token}`,
  ]) {
    assert.equal((await get(where)).status, 401, where);
  }
  const post = await world.run(
    Promise.resolve(app.request(transferLinkPath(id, 0), { method: "POST" })),
  );
  assert.equal(post.status, 401);
  laterMs = 24 * 60 * 60_000;
  assert.equal(
    (await get(`${transferContentPath(id, 0)}?token=${token}`)).status,
    401,
    "it is old",
  );
  await seeder.stop();
});
