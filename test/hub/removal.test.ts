import assert from "node:assert/strict";
import { test } from "node:test";
import { archivePath, torrentFilePath, webSeedPath } from "../../src/api/paths.ts";
import type { Removal, TorrentDetail, TorrentList } from "../../src/api/torrents.ts";
import { HOST, hubWorld, problemOf, type World } from "./hub-world.ts";

const DAY_MS = 86_400_000;
const CONTENTS = { "a.txt": new Uint8Array([1, 2, 3]) };

/** Every address that serves a part of a torrent. */
function addressesOf(id: string): string[] {
  return [
    `/t/${id}/talks`,
    `/t/${id}`,
    torrentFilePath(id),
    archivePath(id),
    `/t/${id}/files/0/a.txt`,
    `${webSeedPath(id)}talks/a.txt`,
    `/api/v1/torrents/${id}`,
    `/api/v1/torrents/${id}/files`,
    `/api/v1/torrents/${id}/live`,
  ];
}

async function remove({ call, program }: World, id: string): Promise<Removal> {
  const path = `/api/v1/torrents/${id}`;
  const response = await call(path, { method: "DELETE", headers: await program() });
  const removal = (await response.json()) as Removal;
  assert.equal(response.status, 200, JSON.stringify(removal));
  return removal;
}

async function jsonOf<T>(response: Response, status = 200): Promise<T> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as T;
}

test("HUB-18: a torrent removed through the API answers 410 everywhere, and can be restored everywhere", async (t) => {
  const world = await hubWorld(t);
  const { call, clock } = world;
  const id = await world.publish(CONTENTS);
  const live = await call(`/api/v1/torrents/${id}/live`);
  clock.wall = Date.parse("2026-11-02T09:00:00Z");
  const removal = await remove(world, id);
  assert.deepEqual(removal, {
    id,
    name: "talks",
    removedBy: "ann",
    removedAt: "2026-11-02T09:00:00Z",
    undoUntil: "2026-11-09T09:00:00Z",
  });
  assert.deepEqual(world.notes.at(-1), [
    "a torrent was removed",
    { id, by: "ann", byId: world.userId },
  ]);
  assert.match(await live.text(), /event: figures/, "the stream has ended");
  for (const path of addressesOf(id)) {
    const response = await call(path);
    assert.equal(response.status, 410, path);
    const text = await response.text();
    assert.match(text, /removed/i, path);
    assert.doesNotMatch(text.replaceAll(path, ""), /talks/, path);
    if (path.startsWith("/api/") || path.includes(".") || path.includes("/files/")) {
      assert.match(text, /removed by ann on 2026-11-02\./, path);
      assert.match(text, /Its publisher and the administrators .* until 2026-11-09/, path);
    }
  }
  const list = await jsonOf<TorrentList>(await call("/api/v1/torrents"));
  assert.equal(list.total, 0);
  const headers = await world.program();
  const change = { method: "PATCH", headers, json: { name: "x" } };
  for (const options of [change, { method: "DELETE", headers }]) {
    const refused = await problemOf(await call(`/api/v1/torrents/${id}`, options));
    assert.deepEqual(refused, { status: 410, code: "removed" });
  }
  const restored = await call(`/api/v1/torrents/${id}/restore`, { method: "POST", headers });
  assert.equal((await jsonOf<TorrentDetail>(restored)).name, "talks");
  for (const path of addressesOf(id)) {
    const response = await call(path);
    assert.ok(response.status === 200 || response.status === 301, path);
    await response.body?.cancel();
  }
  const again = await call(`/api/v1/torrents/${id}/restore`, { method: "POST", headers });
  assert.deepEqual(await problemOf(again), { status: 404, code: "not_found" });
});

test("HUB-18: after seven days nobody can undo it, and the address says so for ever", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(CONTENTS);
  await remove(world, id);
  world.clock.wall += 7 * DAY_MS;
  for (const start of [false, true]) {
    if (start) await world.parts.publications.start();
    const { call } = world;
    const headers = await world.program("admin");
    const refused = await call(`/api/v1/torrents/${id}/restore`, { method: "POST", headers });
    assert.deepEqual(await problemOf(refused), { status: 410, code: "removed" });
    const { model } = await world.page(`/t/${id}/talks`, { headers });
    assert.ok(model.kind === "removed" && !model.mayUndo && model.removal.undoUntil === null);
    const file = await (await call(torrentFilePath(id))).text();
    assert.match(file, /removed by ann .*\s*.*cannot come back: its files are gone/);
  }
  assert.deepEqual(world.disk.paths, []);
});

test("the page of a removed torrent shows title and undo only to those who may use them", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(CONTENTS);
  await remove(world, id);
  const stranger = await world.page(`/t/${id}/talks`);
  assert.ok(stranger.model.kind === "removed" && !stranger.model.mayUndo);
  assert.equal(stranger.model.removal.name, null);
  assert.equal(stranger.model.removal.removedBy, "ann");
  const headers = { cookie: await world.signIn() };
  const mine = await world.page(`/t/${id}/talks`, { headers });
  assert.ok(mine.model.kind === "removed" && mine.model.mayUndo);
  assert.equal(mine.model.removal.name, "talks");
});

test("without JavaScript, forms change a torrent, remove it and restore it", async (t) => {
  const world = await hubWorld(t);
  const { call } = world;
  const id = await world.publish(CONTENTS);
  const headers = { cookie: await world.signIn(), origin: `http://${HOST}` };
  const { model: before } = await world.page(`/t/${id}/talks`, { headers });
  assert.ok(before.kind === "torrent");
  assert.deepEqual(before.change, { name: "talks", comment: "", problem: null });
  const form = { name: 'Tides: "high"?', comment: "one\r\ntwo" };
  const edited = await call(`/t/${id}/edit`, { headers, form });
  assert.equal(edited.status, 303);
  assert.equal(edited.headers.get("location"), `/t/${id}/tides-high`);
  const { model: after } = await world.page(`/t/${id}/tides-high`);
  assert.ok(after.kind === "torrent" && after.change === null, "strangers get no form");
  assert.equal(after.torrent.name, form.name);
  assert.equal(after.torrent.comment, "one\ntwo");
  assert.equal(after.torrent.infohashV1, before.torrent.infohashV1);

  const wrong = await call(`/t/${id}/edit`, { headers, form: { name: " ", comment: "kept" } });
  assert.equal(wrong.status, 400);
  const page = (await wrong.json()) as { model: typeof before };
  assert.equal(page.model.change?.comment, "kept");
  assert.equal(page.model.change?.problem?.field, "name");
  const long = await call(`/t/${id}/edit`, {
    headers,
    form: { name: "x", comment: "潮".repeat(10_001) },
  });
  assert.equal(long.status, 400);
  const full = { name: "x", comment: "潮".repeat(10_000) };
  assert.equal((await call(`/t/${id}/edit`, { headers, form: full })).status, 303);

  const removed = await call(`/t/${id}/remove`, { headers, form: {} });
  assert.equal(removed.status, 303);
  const there = removed.headers.get("location")!;
  assert.equal((await call(there, { headers })).status, 410);
  const back = await call(`/t/${id}/restore`, { headers, form: {} });
  assert.equal(back.status, 303);
  assert.equal((await call(back.headers.get("location")!, { headers })).status, 200);
});

test("HUB-4: another site's form removes nothing", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(CONTENTS);
  const cookie = await world.signIn();
  for (const origin of ["https://evil.example", "http://127.0.0.1:1"]) {
    const headers = { cookie, origin };
    const response = await world.call(`/t/${id}/remove`, { headers, form: {} });
    assert.equal(response.status, 403);
  }
  assert.equal((await world.call(torrentFilePath(id))).status, 200);
});

test("HUB-11: a publish token changes its owner's publications, and no others", async (t) => {
  const world = await hubWorld(t);
  const { call } = world;
  const id = await world.publish(CONTENTS);
  await world.store.db.updateTable("torrents").set({ publisher_id: "somebody" }).execute();
  const path = `/api/v1/torrents/${id}`;
  const requests = async (scope: "publish" | "admin") => {
    const headers = await world.program(scope);
    const responses = [
      await call(path, { method: "PATCH", headers, json: { name: "x" } }),
      await call(path, { method: "DELETE", headers }),
      await call(`${path}/restore`, { method: "POST", headers }),
    ];
    return responses.map(({ status }) => status);
  };
  assert.deepEqual(await requests("publish"), [403, 403, 404]);
  assert.deepEqual(await requests("admin"), [200, 200, 200]);
  await world.parts.publications.remove(id, "somebody");
  const headers = await world.program();
  const refused = await call(`${path}/restore`, { method: "POST", headers });
  assert.deepEqual(await problemOf(refused), { status: 403, code: "not_allowed" });
});

test("PATCH changes the named fields and leaves the rest", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(CONTENTS, { comment: "words" });
  const headers = await world.program();
  const patch = async (json: Record<string, unknown>) =>
    world.call(`/api/v1/torrents/${id}`, { method: "PATCH", headers, json });
  const one = await jsonOf<TorrentDetail>(await patch({ name: "new" }));
  assert.deepEqual([one.name, one.comment], ["new", "words"]);
  const two = await jsonOf<TorrentDetail>(await patch({ comment: null }));
  assert.deepEqual([two.name, two.comment], ["new", null]);
  for (const json of [{ name: "" }, { name: " \n" }, { name: "x".repeat(256) }, { comment: 1 }]) {
    assert.deepEqual(await problemOf(await patch(json)), { status: 400, code: "bad_request" });
  }
  // A stranger sees the change at once, although pages are cached for a second.
  const before = await world.page(`/t/${id}/new`);
  await patch({ comment: "again" });
  const after = await world.page(`/t/${id}/new`);
  assert.ok(before.model.kind === "torrent" && after.model.kind === "torrent");
  assert.deepEqual([before.model.torrent.comment, after.model.torrent.comment], [null, "again"]);
});

test("the link of a draft whose content existed before leads to the removal, too", async (t) => {
  const world = await hubWorld(t);
  const first = await world.publish(CONTENTS);
  const second = await world.publish(CONTENTS, { comment: "another declaration" });
  await remove(world, first);
  assert.equal((await world.call(`/t/${second}/talks`)).status, 410);
  assert.equal((await world.call(torrentFilePath(second))).status, 410);
});
