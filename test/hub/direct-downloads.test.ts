import assert from "node:assert/strict";
import { test } from "node:test";
import { torrentApiPath } from "../../src/api/paths.ts";
import type { TorrentDetail } from "../../src/api/torrents.ts";
import { DirectDownloads } from "../../src/hub/direct-downloads.ts";
import { hubWorld } from "./hub-world.ts";

const MIB = 1024 * 1024;

test("direct downloads have a speed, which is 0 some seconds after the last byte", () => {
  let nowMs = 10_000;
  const downloads = new DirectDownloads({ nowMs: () => nowMs });
  assert.equal(downloads.bytesPerSecond("a"), 0);
  const one = downloads.begin("a", () => undefined);
  const other = downloads.begin("a", () => undefined);
  for (let second = 0; second < 5; second += 1) {
    one.count(600);
    other.count(400);
    nowMs += 1000;
  }
  assert.equal(downloads.bytesPerSecond("a"), 1000);
  assert.equal(downloads.bytesPerSecond("b"), 0);
  nowMs += 2000;
  assert.equal(downloads.bytesPerSecond("a"), 600);
  nowMs += 3000;
  assert.equal(downloads.bytesPerSecond("a"), 0);
  one.count(5000);
  nowMs += 3_600_000;
  assert.equal(downloads.bytesPerSecond("a"), 0);
});

test("removing a torrent stops its running downloads, and no others", () => {
  const downloads = new DirectDownloads({ nowMs: () => 0 });
  const stopped: string[] = [];
  downloads.begin("a", () => stopped.push("one"));
  downloads.begin("a", () => stopped.push("two")).end();
  downloads.begin("b", () => stopped.push("other"));
  downloads.stop("a");
  downloads.stop("a");
  assert.deepEqual(stopped, ["one"]);
});

for (const path of ["files/0/a.bin", ".zip"]) {
  test(`a running download of ${path} counts as upload, and breaks off when its torrent is removed`, async (t) => {
    const world = await hubWorld(t);
    const contents = { "a.bin": new Uint8Array(8 * MIB).fill(7), "b.bin": new Uint8Array(10) };
    const id = await world.publish(contents, { name: "talks" });
    const response = await world.call(path === ".zip" ? `/t/${id}.zip` : `/t/${id}/${path}`);
    assert.equal(response.status, 200);
    const body: ReadableStream<Uint8Array> = response.body!;
    const reader = body.getReader();
    assert.ok((await reader.read()).value!.length > 0);
    world.clock.wall += 1000;
    const headers = await world.program();
    const detail = await world.call(torrentApiPath(id), { headers });
    const { swarm } = (await detail.json()) as TorrentDetail;
    assert.ok(swarm.uploadBytesPerSecond > 0);
    const removed = await world.call(torrentApiPath(id), { method: "DELETE", headers });
    assert.equal(removed.status, 200);
    await assert.rejects(async () => {
      let bytes = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        bytes += value.length;
        assert.ok(bytes < 4 * MIB, "it goes on");
      }
    }, /taken back/);
  });
}
