import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import type { DropFolder, DroppedFile } from "../../src/ports/drop-folder.ts";
import type { Log } from "../../src/ports/log.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import type { WatchFolder } from "../../src/transfers/watch-folder.ts";
import { WatchFolders } from "../../src/transfers/watch-folders.ts";
import { type NodeRun, TransfersWorld } from "./transfers-world.ts";

const FOLDER = "/srv/drop";

/** A folder in memory; `undefined` while it is away. */
class Drop implements DropFolder {
  files: Map<string, { bytes: Uint8Array; mtimeMs: number }> | undefined = new Map();
  onChange: () => void = () => undefined;
  readOnly = false;
  reads = 0;

  put(name: string, bytes: Uint8Array, mtimeMs = 1): void {
    this.files!.set(name, { bytes, mtimeMs });
  }
  get names(): string[] {
    return [...this.files!.keys()].toSorted();
  }
  async list(takes: (name: string) => boolean, filesMax: number): Promise<readonly DroppedFile[]> {
    if (!this.files) throw Object.assign(new Error("gone"), { code: "ENOENT" });
    return Array.from(this.files, ([name, { bytes, mtimeMs }]) => ({
      name,
      size: bytes.length,
      mtimeMs,
    }))
      .filter(({ name }) => takes(name))
      .slice(0, filesMax);
  }
  async read(name: string): Promise<Uint8Array | undefined> {
    this.reads += 1;
    return this.files!.get(name)?.bytes;
  }
  async setAside(name: string, ending: string): Promise<void> {
    if (this.readOnly) throw Object.assign(new Error("no"), { code: "EROFS" });
    this.files!.set(`${name}.${ending}`, this.files!.get(name)!);
    this.files!.delete(name);
  }
  async remove(name: string): Promise<void> {
    this.files!.delete(name);
  }
  close(): void {
    this.onChange = () => undefined;
  }
}

interface Watching {
  readonly world: TransfersWorld;
  readonly node: NodeRun;
  readonly drop: Drop;
  readonly folders: WatchFolders;
  readonly warnings: string[];
  readonly stop: () => Promise<void>;
}

async function watching(seed: number, how: Partial<WatchFolder> = {}): Promise<Watching> {
  const world = new TransfersWorld(seed);
  const node = await world.node(world.machine());
  const drop = new Drop();
  const warnings: string[] = [];
  const log: Log = {
    ...SILENT_LOG,
    warn: (message, fields) => void warnings.push(`${message} ${String(fields?.["why"])}`),
  };
  const folders = new WatchFolders({
    transfers: node.transfers,
    wanted: () => [{ folder: FOLDER, ...how }],
    folders: {
      open: (folder, onChange) => {
        assert.equal(folder, FOLDER);
        drop.onChange = onChange;
        return drop;
      },
    },
    clock: node.machine.ports.clock,
    log,
  });
  folders.start();
  const stop = async (): Promise<void> => {
    await world.run(folders.stop());
    await node.stop();
  };
  return { world, node, drop, folders, warnings, stop };
}

test("files that are dropped are added as the folder says, and get another name", async () => {
  const how = { label: "films", into: "/srv/media", stopped: true };
  const { world, node, drop, folders, stop } = await watching(71, how);
  const { bytes } = await world.torrent(world.machine());
  const hash = "1".repeat(40);
  drop.put("talks.TORRENT", bytes);
  drop.put("two.magnet", encodeUtf8(`magnet:?xt=urn:btih:${hash}\n\n${"2".repeat(40)}\n`));
  drop.put("notes.txt", bytes);
  drop.put(".hidden.torrent", bytes);
  await world.pass(1_000);
  drop.onChange();
  await world.pass(4_000);
  assert.deepEqual(drop.names, [
    ".hidden.torrent",
    "notes.txt",
    "talks.TORRENT.added",
    "two.magnet.added",
  ]);
  const { transfers } = await node.transfers.list();
  assert.deepEqual(
    transfers.map(({ name, label, root, state }) => [name, label, root, state.kind]),
    ["talks", hash, "2".repeat(40)].map((name) => [name, "films", "/srv/media", "paused"]),
  );
  assert.deepEqual(folders.status(), [{ folder: FOLDER, trouble: undefined, taken: 2, files: [] }]);
  await stop();
});

test("a file that is still written is not taken before it is whole, however slowly it grows", async () => {
  const { world, node, drop, warnings, stop } = await watching(72, { taken: "delete" });
  const { bytes } = await world.torrent(world.machine());
  for (let part = 1; part <= 8; part += 1) {
    drop.put("slow.torrent", bytes.subarray(0, (bytes.length * part) / 9), part);
    drop.onChange();
    // Between two writes it looks whole for a while.
    await world.pass(9_000);
    assert.deepEqual((await node.transfers.list()).transfers, []);
  }
  drop.put("slow.torrent", bytes, 9);
  await world.pass(15_000);
  assert.deepEqual(drop.names, []);
  assert.equal((await node.transfers.list()).transfers.length, 1);
  assert.deepEqual(warnings, []);
  await stop();
});

test("a broken file is told once with the reason and read no more; a new one in its place is taken", async () => {
  const { world, node, drop, folders, warnings, stop } = await watching(73);
  const { bytes } = await world.torrent(world.machine());
  drop.put("broken.torrent", encodeUtf8("<!doctype html>"));
  drop.put("wrong.magnet", encodeUtf8(`${"1".repeat(40)}\nmagnet:?dn=nothing`));
  await world.pass(60_000);
  const { reads } = drop;
  await world.pass(120_000);
  assert.equal(drop.reads, reads);
  assert.equal(warnings.length, 2, warnings.join("\n"));
  const [status] = folders.status();
  assert.deepEqual(
    status!.files.map(({ name }) => name),
    ["broken.torrent", "wrong.magnet"],
  );
  assert.match(status!.files[0]!.why, /web page|no torrent/i);
  // One wrong link, and none of the file is taken.
  assert.deepEqual((await node.transfers.list()).transfers, []);

  drop.put("broken.torrent", bytes, 2);
  await world.pass(15_000);
  assert.deepEqual(drop.names, ["broken.torrent.added", "wrong.magnet"]);
  assert.deepEqual(
    folders.status()[0]!.files.map(({ name }) => name),
    ["wrong.magnet"],
  );
  await stop();
});

test("a folder that is away is told once, and goes on when it is back", async () => {
  const { world, node, drop, folders, warnings, stop } = await watching(74);
  const { bytes } = await world.torrent(world.machine());
  drop.files = undefined;
  await world.pass(60_000);
  assert.equal(warnings.length, 1);
  assert.match(folders.status()[0]!.trouble!, /no such folder/);
  drop.files = new Map([["a.torrent", { bytes, mtimeMs: 1 }]]);
  await world.pass(20_000);
  assert.equal(folders.status()[0]!.trouble, undefined);
  assert.equal((await node.transfers.list()).transfers.length, 1);
  await stop();
});

test("a file that cannot be renamed is added once; what is here already counts as taken", async () => {
  const { world, node, drop, folders, warnings, stop } = await watching(75);
  const { bytes } = await world.torrent(world.machine());
  await world.run(node.transfers.add({ torrent: bytes }, { stopped: true }));
  drop.readOnly = true;
  drop.put("talks.torrent", bytes);
  await world.pass(120_000);
  assert.equal(drop.reads, 1);
  assert.deepEqual(warnings.length, 1);
  assert.match(folders.status()[0]!.files[0]!.why, /it was added, but stays here: Its disk/);
  await stop();
});

test("thousands of files are taken in turns, and the node answers in between", async () => {
  const { world, node, drop, folders, stop } = await watching(76, { stopped: true });
  const count = 3_000;
  for (let index = 0; index < count; index += 1) {
    const hash = index.toString(16).padStart(40, "0");
    drop.put(`${index}.magnet`, encodeUtf8(`magnet:?xt=urn:btih:${hash}`));
  }
  const seen = new Set<number>();
  await world.until("all are there", async () => {
    const { all } = await node.transfers.counts();
    seen.add(all);
    return all === count;
  });
  await world.pass(15_000);
  assert.equal(folders.status()[0]!.taken, count);
  await stop();
});
