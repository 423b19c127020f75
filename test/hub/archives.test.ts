import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { archivePath } from "../../src/api/paths.ts";
import { SEAT_WINDOW_MS } from "../../src/base/seat-rate.ts";
import { archiveName } from "../../src/hub/download-name.ts";
import { hubWorld, type World } from "./hub-world.ts";
import { readZip } from "./zip-reader.ts";

const FILES: Record<string, Uint8Array> = {
  "a.bin": randomBytes(300_000),
  "empty.txt": new Uint8Array(0),
  "läufe/größe 海.txt": randomBytes(17),
  "läufe/z.bin": randomBytes(90_000),
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`small/${index}.txt`, randomBytes(1 + index * 7)]),
  ),
};

async function bodyOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** Ranges of an archive that begin and end at every kind of position. */
function ranges(size: number): [first: number, last: number][] {
  const places = [0, 1, 29, 30, 36, 300_030, 300_040, 390_000, size - 60, size - 22, size - 1];
  const wild = Array.from({ length: 20 }, () => Math.floor(Math.random() * size));
  return [...places, ...wild].flatMap((first) => [
    [first, first],
    [first, Math.min(size - 1, first + 140_000)],
    [first, size - 1],
  ]);
}

/** As after a restart, except that the database keeps its content. */
function forget({ parts }: World, id: string): void {
  parts.contents.forget(id);
}

for (const kind of ["v1", "v2", "hybrid"]) {
  test(`an archive of a ${kind} torrent contains every file, and has the promised length`, async (t) => {
    const world = await hubWorld(t);
    const id = await world.publish(FILES, { kind, pieceSize: 32_768 });
    const response = await world.call(`/t/${id}.zip`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/zip");
    assert.match(response.headers.get("content-disposition")!, /filename="talks.zip"/);
    const zip = await bodyOf(response);
    assert.equal(String(zip.length), response.headers.get("content-length"));
    const entries = readZip(zip);
    assert.equal(entries.length, Object.keys(FILES).length);
    for (const { name, bytes } of entries) {
      const expected = FILES[name.replace(/^talks\//, "")];
      assert.ok(expected && bytes.equals(expected), `${name} is what was published`);
    }
  });

  test(`any part of an archive of a ${kind} torrent equals that part of the whole, checksums known or not`, async (t) => {
    const world = await hubWorld(t);
    const id = await world.publish(FILES, { kind, pieceSize: 32_768 });
    const other = await world.publish(
      { ...FILES, "b.bin": randomBytes(5) },
      { kind, name: "other" },
    );
    assert.notEqual(id, other);
    const path = archivePath(id);
    const first = await world.call(path, { headers: { range: "bytes=-1" } });
    assert.equal(first.status, 206);
    const [, size] = /\/([0-9]+)$/.exec(first.headers.get("content-range")!)!;
    // The last byte needs no checksum, the directory before it needs all of them.
    const tail = await bodyOf(await world.call(path, { headers: { range: "bytes=-3000" } }));
    forget(world, id);
    const whole = await bodyOf(await world.call(path));
    assert.equal(whole.length, Number(size));
    assert.ok(whole.subarray(-3000).equals(tail), "sums nobody knew are found by reading");
    for (const [from, to] of ranges(whole.length)) {
      if (Math.random() < 0.2) forget(world, id);
      const part = await world.call(path, { headers: { range: `bytes=${from}-${to}` } });
      assert.equal(part.status, 206);
      const bytes = await bodyOf(part);
      assert.ok(bytes.equals(whole.subarray(from, to + 1)), `bytes ${from} to ${to}`);
    }
  });
}

test("an interrupted archive resumes where it stopped, and is whole", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES, { pieceSize: 16_384 });
  const response = await world.call(`/t/${id}.zip`);
  const etag = response.headers.get("etag")!;
  const reader = response.body!.getReader();
  const value = (await reader.read()).value as Uint8Array;
  await reader.cancel();
  const rest = await world.call(`/t/${id}.zip`, {
    headers: { range: `bytes=${value.length}-`, "if-range": etag },
  });
  assert.equal(rest.status, 206);
  assert.equal(rest.headers.get("etag"), etag);
  const entries = readZip(Buffer.concat([value, await bodyOf(rest)]));
  assert.equal(entries.length, Object.keys(FILES).length);
  const changed = await world.call(`/t/${id}.zip`, {
    headers: { range: "bytes=5-", "if-range": '"another"' },
  });
  assert.equal(changed.status, 200, "of another version everything is sent");
  await changed.body!.cancel();
});

test("selected files go into a separate archive, by numbers and ranges", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const names = async (query: string): Promise<string[]> => {
    const response = await world.call(`/t/${id}.zip${query}`);
    assert.equal(response.status, 200, query);
    return readZip(await bodyOf(response)).map(({ name }) => name.replace(/^talks\//, ""));
  };
  const all = await names("");
  assert.deepEqual(await names("?file=2"), [all[2]]);
  assert.deepEqual(await names("?file=4&file=1-2"), [all[1], all[2], all[4]]);
  assert.deepEqual(await names("?file=0,3-3,0-1"), [all[0], all[1], all[3]]);
  const one = await world.call(`/t/${id}.zip?file=1`, { method: "HEAD" });
  const two = await world.call(`/t/${id}.zip?file=1&file=2`, { method: "HEAD" });
  assert.notEqual(one.headers.get("etag"), two.headers.get("etag"));
  for (const wrong of ["file=", "file=x", "file=9999", "file=3-1", "file=1-9999", "file=-1"]) {
    assert.equal((await world.call(`/t/${id}.zip?${wrong}`)).status, 400, wrong);
  }
});

test("an archive answers HEAD, unchanged and out-of-range requests without its bytes", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const head = await world.call(`/t/${id}.zip`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("accept-ranges"), "bytes");
  assert.equal((await bodyOf(head)).length, 0);
  const etag = head.headers.get("etag")!;
  const same = await world.call(`/t/${id}.zip`, { headers: { "if-none-match": etag } });
  assert.equal(same.status, 304);
  const size = head.headers.get("content-length")!;
  const beyond = await world.call(`/t/${id}.zip`, { headers: { range: `bytes=${size}-` } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get("content-range"), `bytes */${size}`);
  assert.equal((await world.call("/t/00000000.zip")).status, 404);
});

test("HUB-19: damaged content never becomes an archive: it is refused at the start, or broken off later", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES, { pieceSize: 16_384 });
  const path = world.disk.paths.find((each) => each.endsWith("/a.bin"))!;
  world.disk.poke(path, 150_000, new Uint8Array([1, 2, 3, 4, 5]));
  const whole = await world.call(`/t/${id}.zip?file=0`);
  assert.equal(whole.status, 200, "its beginning is good");
  await assert.rejects(bodyOf(whole));
  assert.ok(
    world.judged.some(({ intact, piece }) => !intact && piece === 9),
    "it is told",
  );
  const good = await world.call(`/t/${id}.zip?file=1-9`);
  assert.equal(readZip(await bodyOf(good)).length, 9, "the others are not harmed");
  const damaged = await world.call(`/t/${id}.zip`, { headers: { range: "bytes=150000-" } });
  assert.equal(damaged.status, 500);
  assert.match(await damaged.text(), /damaged or lost/);
  forget(world, id);
  await world.disk.remove(path);
  const lost = await world.call(`/t/${id}.zip`);
  assert.equal(lost.status, 500);
  // No checksum is stored for bytes that were not judged.
  const { sums } = (await world.parts.contents.open(id))!;
  assert.equal(sums.of(0), undefined);
});

test("HUB-25: an address may have a few archives in progress, others have their own; one that leaves makes room", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const ask = (remoteAddress: string): Promise<Response> =>
    world.call(`/t/${id}.zip`, { remoteAddress });
  const open: Response[] = [];
  for (let count = 0; count < 16; count += 1) open.push(await ask("192.0.2.7"));
  assert.ok(open.every(({ status }) => status === 200));
  const refused = await ask("192.0.2.7");
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "15");
  const other = await ask("192.0.2.8");
  assert.equal(other.status, 200);
  await other.body!.cancel();
  await open[0]!.body!.cancel();
  const again = await ask("192.0.2.7");
  assert.equal(again.status, 200);
  await Promise.all([again, ...open.slice(1)].map((response) => response.body!.cancel()));
  const head = await world.call(`/t/${id}.zip`, { method: "HEAD", remoteAddress: "192.0.2.7" });
  assert.equal(head.status, 200);
});

test("HUB-47: readers that take nothing do not keep a seat that others wait for", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish(FILES);
  const ask = (remoteAddress: string): Promise<Response> =>
    world.call(`/t/${id}.zip`, { remoteAddress });
  const held: Response[] = [];
  for (let seat = 0; seat < 200; seat += 1) held.push(await ask(`192.0.2.${seat % 13}`));
  assert.ok(held.every(({ status }) => status === 200));
  assert.equal((await ask("198.51.100.1")).status, 503);
  world.clock.wall += SEAT_WINDOW_MS;
  const fresh = await ask("198.51.100.1");
  assert.equal(fresh.status, 200);
  assert.equal(readZip(await bodyOf(fresh)).length, Object.keys(FILES).length);
  await assert.rejects(bodyOf(held[0]!), /others wait/);
  for (const response of held.slice(1)) await response.body!.cancel();
});

const titles: [title: string, name: string][] = [
  ["Talks of 2026", "Talks of 2026.zip"],
  ['Tides: high & low? "2026"', "Tides_ high & low_ _2026_.zip"],
  ["../../etc/passwd", "_.._etc_passwd.zip"],
  ["..", "torrent.zip"],
  ["a\r\nb\u202Egpj", "a__b_gpj.zip"],
  ["海".repeat(100), `${"海".repeat(60)}.zip`],
];
for (const [title, name] of titles) {
  test(`the archive of ${JSON.stringify(title.slice(0, 30))} has a name that every system accepts`, () => {
    assert.equal(archiveName(title), name);
    assert.ok(Buffer.byteLength(name) <= 255);
  });
}
