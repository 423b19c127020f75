import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { hubWorld, tus, type World } from "./hub-world.ts";

// HUB-36: removal, undo and publishing at the same moment. Whichever wins, there is one torrent or one answer 410, its
// content is whole, and no stray file is left.

const FILES = { "a.bin": randomBytes(40_000), "b.bin": randomBytes(100_000) };

async function remove(world: World, id: string): Promise<number> {
  const headers = await world.program();
  return (await world.call(`/api/v1/torrents/${id}`, { method: "DELETE", headers })).status;
}

async function isWhole(world: World, id: string): Promise<void> {
  for (const [index, bytes] of Object.values(FILES).entries()) {
    const name = Object.keys(FILES)[index]!;
    const response = await world.call(`/t/${id}/files/${index}/${name}`);
    assert.equal(response.status, 200, name);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(bytes)), name);
  }
}

/** Everything but the last bytes of an upload. */
async function almost(world: World, more: Record<string, unknown> = {}) {
  const headers = await world.program();
  const files = Object.entries(FILES).map(([path, bytes]) => ({ path, size: bytes.length }));
  const json = { name: "talks", folder: true, files, ...more };
  const declared = await world.call("/api/v1/drafts", { headers, json });
  assert.equal(declared.status, 201);
  const draft = (await declared.json()) as { id: string; order: number[]; uploadPath: string };
  const all = Buffer.concat(draft.order.map((index) => Object.values(FILES)[index]!));
  const send = (from: number, to: number): Promise<Response> =>
    world.call(draft.uploadPath, {
      method: "PATCH",
      headers: { ...headers, ...tus(from) },
      body: new Uint8Array(all.subarray(from, to)),
    });
  assert.equal((await send(0, 100_000)).status, 204);
  return { ...draft, end: () => send(100_000, all.length) };
}

/** The page that the draft's address leads to. */
async function torrentOf(world: World, draftId: string): Promise<string> {
  const headers = await world.program();
  const response = await world.call(`/api/v1/drafts/${draftId}`, { headers });
  const { torrent } = (await response.json()) as { torrent: { id: string } };
  return torrent.id;
}

const stray = (world: World): string[] =>
  world.disk.paths.filter((path) => path.includes("/uploads/"));

test("HUB-36: a torrent is removed while an upload of the same content ends: it exists whole, or it is gone", async (t) => {
  for (let round = 0; round < 8; round += 1) {
    const world = await hubWorld(t);
    const first = await world.publish(FILES);
    const draft = await almost(world, { comment: "once more" });
    const acts = [() => draft.end(), () => remove(world, first)];
    if (round % 2 === 1) acts.reverse();
    await Promise.all(acts.map((act) => act()));
    const { status } = await world.call(`/t/${first}/talks`);
    if (status === 410) {
      const headers = await world.program();
      const undo = await world.call(`/api/v1/torrents/${first}/restore`, {
        method: "POST",
        headers,
      });
      assert.ok(undo.status < 300, `${undo.status}`);
    }
    await isWhole(world, first);
    assert.equal(await torrentOf(world, draft.id), first);
    assert.deepEqual(stray(world), []);
  }
});

test("HUB-36: undo while the same content is published again makes one torrent", async (t) => {
  for (let round = 0; round < 8; round += 1) {
    const world = await hubWorld(t);
    const first = await world.publish(FILES);
    assert.equal(await remove(world, first), 200);
    const draft = await almost(world);
    const headers = await world.program();
    const undo = () => world.call(`/api/v1/torrents/${first}/restore`, { method: "POST", headers });
    const acts: (() => Promise<unknown>)[] = [() => draft.end(), undo];
    if (round % 2 === 1) acts.reverse();
    await Promise.all(acts.map((act) => act()));
    await isWhole(world, first);
    assert.equal(await torrentOf(world, draft.id), first);
    const list = await world.call("/api/v1/torrents");
    const { torrents } = (await list.json()) as { torrents: unknown[] };
    assert.equal(torrents.length, 1);
    assert.deepEqual(stray(world), []);
  }
});

test("HUB-36: ten concurrent removals, edits and undos do not break each other", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const headers = await world.program();
  const path = `/api/v1/torrents/${id}`;
  const statuses = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const act = [
        { path, method: "DELETE" },
        { path: `${path}/restore`, method: "POST" },
        { path, method: "PATCH", json: { name: `name ${index}` } },
      ][index % 3]!;
      return (await world.call(act.path, { headers, ...act })).status;
    }),
  );
  assert.ok(
    statuses.every((status) => status < 500),
    statuses.join(),
  );
  if ((await world.call(`/t/${id}/talks`)).status === 410) {
    await world.call(`${path}/restore`, { method: "POST", headers });
  }
  await isWhole(world, id);
});

test("HUB-36: a download of a restored torrent is not ended by the end of one from before the removal", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const { contents, publications } = world.parts;
  const before = (await contents.open(id))!;
  await publications.remove(id, world.userId);
  assert.equal(await contents.open(id), undefined);
  await publications.restore(id);
  const after = (await contents.open(id))!;
  // The earlier reader leaves only now; then everything that is idle long enough is put away.
  await contents.release(before);
  world.clock.fireAll();
  const shared = (await contents.open(id))!;
  assert.equal(shared, after, "it is open still");
  await contents.release(shared);
  await contents.release(after);
  world.clock.fireAll();
  const anew = (await contents.open(id))!;
  assert.notEqual(anew, after, "and put away when its last reader left");
  await contents.release(anew);
});
