import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferState } from "../../src/transfers/transfer-state.ts";
import { type CommandMachine, HOME } from "../commands/simulated-world.ts";
import { killed } from "./killed-node.ts";
import { type NodeRun, TransfersWorld } from "./transfers-world.ts";

// Disks that are full, refuse, vanish or change below some of a node's transfers (STO).

const SIZE = 2_000_000;
const GOOD = "/good";
const BAD = "/bad";

async function stateOf({ transfers }: NodeRun, id: string): Promise<TransferState> {
  return (await transfers.find(id))!.state;
}

function isKind(node: NodeRun, id: string, kind: TransferState["kind"]) {
  return async (): Promise<boolean> => (await stateOf(node, id)).kind === kind;
}

function bytesOf({ disk }: CommandMachine, path: string): Buffer | undefined {
  const file = disk.find(path);
  return file && Buffer.from(file.bytes.subarray(0, file.size));
}

/** Another node seeds four torrents; the node has two of them on a good disk, and two on a bad one. */
async function four(seed: number, upBytesPerSecond = 0) {
  const world = new TransfersWorld(seed);
  const [there, here] = [world.machine(), world.machine()];
  const rates = { down: 0, up: upBytesPerSecond };
  const seeder = await world.node(there, { settings: { rates } });
  const node = await world.node(here);
  const made: { id: string; root: string; path: string; content: Buffer; torrent: Uint8Array }[] =
    [];
  for (const [index, root] of [GOOD, GOOD, BAD, BAD].entries()) {
    const name = `talk${"s".repeat(index)}`;
    const { bytes, content } = await world.torrent(there, { name, size: SIZE });
    const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
    const path = `${root}/${name}/tides.bin`;
    made.push({ id, root, path, content: Buffer.from(content), torrent: bytes });
  }
  const add = async (run: NodeRun = node): Promise<void> => {
    for (const { torrent, root } of made) {
      await world.run(run.transfers.add({ torrent }, { root }));
    }
  };
  const all = async (kind: TransferState["kind"], root: string, run: NodeRun = node) => {
    for (const { id } of made.filter((each) => each.root === root)) {
      await world.until(`${root} is ${kind}`, isKind(run, id, kind));
    }
  };
  /** Takes everything below a folder away, as an unmounted disk does, and returns what brings it back. */
  const unmount = (machine: CommandMachine = here): (() => void) => {
    const paths = machine.disk.paths().filter((path) => path.startsWith(`${BAD}/`));
    for (const path of paths) machine.disk.rename(path, `/away${path}`);
    return () => {
      for (const path of paths) machine.disk.rename(`/away${path}`, path);
    };
  };
  const assertWhole = (machine: CommandMachine = here): void => {
    for (const { path, content } of made) assert.ok(bytesOf(machine, path)!.equals(content), path);
  };
  const stop = async (...others: NodeRun[]): Promise<void> => {
    for (const run of [seeder, ...others]) await run.stop();
  };
  return { world, seeder, node, here, made, add, all, unmount, assertWhole, stop };
}

test("STO-4 a full disk below some of the torrents: these wait and say so, the others end, and they go on when there is room", async () => {
  const { world, node, here, made, add, all, assertWhole, stop } = await four(91);
  here.disk.setRoom(BAD, 500_000);
  await add();
  await all("seeding", GOOD);
  await all("waiting", BAD);
  const full = await world.run(stateOf(node, made[2]!.id));
  assert.ok(full.kind === "waiting" && full.cause === "disk-full");
  assert.match(full.message, /space/);
  // Stopped and started while it is full, it waits again; with room it goes on by itself.
  await world.run(node.transfers.stop(made[2]!.id));
  await world.run(node.transfers.start(made[2]!.id));
  await all("waiting", BAD);
  here.disk.setRoom(BAD, Number.POSITIVE_INFINITY);
  await all("seeding", BAD);
  assertWhole();
  await stop(node);
});

for (const code of ["EROFS", "EACCES", "EIO"]) {
  test(`STO-5 a disk that refuses writes (${code}): only what is on it waits, and it goes on by itself`, async () => {
    const { world, node, here, made, add, all, assertWhole, stop } = await four(92);
    here.disk.refuseWrites(BAD, code);
    await add();
    await all("seeding", GOOD);
    await all("waiting", BAD);
    const state = await world.run(stateOf(node, made[3]!.id));
    assert.ok(state.kind === "waiting" && state.cause === "disk-error");
    assert.match(state.message, new RegExp(code));
    here.disk.refuseWrites(BAD, undefined);
    await all("seeding", BAD);
    assertWhole();
    await stop(node);
  });
}

test("STO-5 a disk that is not mounted at a start: nothing is fetched into its empty folder, and all goes on when it is", async () => {
  const { world, node: first, here, made, add, all, unmount, assertWhole, stop } = await four(93);
  await add();
  await all("seeding", GOOD);
  await all("seeding", BAD);
  await first.stop();
  const mount = unmount();
  const node = await world.node(here, { store: first.store });
  await world.pass(130_000);
  await all("seeding", GOOD, node);
  for (const { id } of made.slice(2)) {
    // A sleeping one looks at its disk when a peer asks for it.
    await world.run(node.transfers.announce(id));
    const state = await world.run(stateOf(node, id));
    assert.ok(state.kind === "failed" && state.cause === "no-content", state.kind);
    assert.match(state.message, /in \/bad: is its disk there/);
  }
  assert.deepEqual(
    here.disk.paths().filter((path) => path.startsWith(BAD)),
    [],
  );
  mount();
  await all("seeding", BAD, node);
  assertWhole();
  for (const { downloaded } of (await world.run(node.transfers.list())).transfers) {
    assert.equal(downloaded, SIZE);
  }
  await stop(node);
});

test("STO-5 the same in the middle of a download; recheck fetches all of it again, because its owner says so", async () => {
  const {
    world,
    node: first,
    here,
    made,
    add,
    unmount,
    assertWhole,
    stop,
  } = await four(94, 200_000);
  await add();
  const [, , lost, kept] = made;
  await world.until("half of both", async () => {
    const [one, other] = [
      (await first.transfers.find(lost!.id))!,
      (await first.transfers.find(kept!.id))!,
    ];
    return one.done > SIZE / 4 && other.done > SIZE / 4;
  });
  await first.stop();
  const mount = unmount();
  const node = await world.node(here, { store: first.store });
  await world.pass(20_000);
  for (const { id } of [lost!, kept!]) {
    const state = await world.run(stateOf(node, id));
    assert.ok(state.kind === "failed" && state.cause === "no-content", state.kind);
  }
  assert.ok(!here.disk.find(kept!.path));
  // Somebody who starts it without its disk is told the same again.
  await world.run(node.transfers.start(kept!.id));
  await world.pass(2_000);
  assert.equal((await world.run(stateOf(node, kept!.id))).kind, "failed");
  mount();
  here.disk.remove(lost!.path);
  await world.run(node.transfers.recheck(lost!.id));
  await world.until("both", async () => {
    const states = [await stateOf(node, lost!.id), await stateOf(node, kept!.id)];
    return states.every(({ kind }) => kind === "seeding");
  });
  await world.until("all", async () =>
    (await node.transfers.list()).transfers.every(({ state }) => state.kind === "seeding"),
  );
  assertWhole();
  const { downloaded } = (await world.run(node.transfers.find(kept!.id)))!;
  assert.ok(downloaded < 1.2 * SIZE, `${downloaded} bytes of the other were fetched`);
  await stop(node);
});

test("STO-5 a disk that vanishes below a seed: a peer that asks gets nothing wrong, nothing is fetched, and it seeds when it is back", async () => {
  const { world, node, here, made, add, all, unmount, stop, seeder } = await four(95);
  await add();
  await all("seeding", GOOD);
  await all("seeding", BAD);
  await node.stop();
  const again = await world.node(here, { store: node.store });
  await all("seeding", BAD, again);
  const mount = unmount();
  await seeder.stop();
  const third = await world.node(world.machine());
  const { torrent, id, content } = made[2]!;
  await world.run(third.transfers.add({ torrent }));
  await world.pass(60_000);
  assert.equal((await world.run(third.transfers.find(id)))!.done, 0);
  const state = await world.run(stateOf(again, id));
  assert.ok(["failed", "waiting"].includes(state.kind), state.kind);
  assert.ok(!here.disk.find(made[2]!.path));
  mount();
  await all("seeding", BAD, again);
  await world.until("it is fetched", isKind(third, id, "seeding"));
  assert.ok(bytesOf(third.machine, `${HOME}/downloads/talkss/tides.bin`)!.equals(content));
  await stop(again, third);
});

test("STO-5 one of the files of a seed is gone at a start: it alone is fetched again", async () => {
  const world = new TransfersWorld(101);
  const [there, here] = [world.machine(), world.machine()];
  const files = { "a.bin": Buffer.alloc(300_000, 1), "b.bin": Buffer.alloc(300_000, 2) };
  const { bytes } = await world.torrent(there, { kind: "v2", files });
  const seeder = await world.node(there);
  await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  const first = await world.node(here);
  const { id } = await world.run(first.transfers.add({ torrent: bytes }, { root: GOOD }));
  await world.until("it seeds", isKind(first, id, "seeding"));
  await first.stop();
  here.disk.remove(`${GOOD}/talks/b.bin`);
  const node = await world.node(here, { store: first.store });
  await world.until("it is back", async () => here.disk.find(`${GOOD}/talks/b.bin`) !== undefined);
  await world.until("it seeds", isKind(node, id, "seeding"));
  await world.pass(1_100);
  assert.ok(bytesOf(here, `${GOOD}/talks/b.bin`)!.equals(files["b.bin"]));
  const { downloaded } = (await world.run(node.transfers.find(id)))!;
  assert.equal(downloaded, 900_000, "the lost one twice");
  await node.stop();
  await seeder.stop();
});

for (const whose of ["fetched by us", "put there by its owner"] as const) {
  test(`STO-6 content that somebody changes while it is seeded (${whose}): no peer gets a wrong byte, and it is noticed`, async () => {
    const world = new TransfersWorld(96);
    const [there, here, third] = [world.machine(), world.machine(), world.machine()];
    const { bytes, content } = await world.torrent(there, { size: SIZE });
    const isOwn = whose === "fetched by us";
    const root = isOwn ? "/own" : HOME;
    const path = `${root}/talks/tides.bin`;
    const seeder = await world.node(there);
    await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
    if (!isOwn) here.disk.put(path, content.slice());
    const first = await world.node(here);
    const { id } = await world.run(first.transfers.add({ torrent: bytes }, { root }));
    await world.until("it seeds", isKind(first, id, "seeding"));
    await first.stop();
    const node = await world.node(here, { store: first.store });
    await world.until("it seeds again", isKind(node, id, "seeding"));
    if (!isOwn) await seeder.stop();
    const changed = Buffer.from(content);
    changed.fill(7, 500_000, 600_000);
    here.disk.put(path, changed);
    const leecher = await world.node(third);
    await world.run(leecher.transfers.add({ torrent: bytes }));
    if (isOwn) {
      // It was ours, so it is mended from the others.
      await world.until("all of it", isKind(leecher, id, "seeding"));
      await world.until("it is mended", isKind(node, id, "seeding"));
      await world.pass(5_000);
      assert.ok(bytesOf(here, path)!.equals(Buffer.from(content)));
    } else {
      await world.until("it waits and says why", async () => {
        const state = await stateOf(node, id);
        return state.kind === "waiting" && state.cause === "foreign-files";
      });
      assert.ok(bytesOf(here, path)!.equals(changed), "somebody's file is not written to");
    }
    const got = bytesOf(third, `${HOME}/downloads/talks/tides.bin`);
    const { done } = (await world.run(leecher.transfers.find(id)))!;
    if (isOwn) assert.ok(got!.equals(Buffer.from(content)));
    else assert.ok(done < SIZE, "what is wrong was not served");
    await leecher.stop();
    await node.stop();
    if (isOwn) await seeder.stop();
  });
}

test("STO-2 a file that a crash has replaced by an older copy is compared, whatever the resume claims, and mended when its owner says so", async () => {
  const { world, node: first, made, add, stop } = await four(97, 400_000);
  await add();
  const { id, path, content } = made[0]!;
  await world.until("half of it", async () => (await first.transfers.find(id))!.done > SIZE / 2);
  await world.pass(6_000);
  const node = await killed(world, first, ({ disk }) => {
    const older = Buffer.from(disk.find(path)!.bytes);
    older.fill(0, SIZE / 4);
    // It is another file on the disk.
    for (let other = 0; other < 10; other += 1) disk.put(`/other/${other}`, new Uint8Array(1));
    disk.put(path, older);
  });
  await first.stop();
  await world.until("it waits", isKind(node, id, "waiting"));
  const state = await world.run(stateOf(node, id));
  assert.ok(state.kind === "waiting" && state.cause === "foreign-files");
  // It may be somebody's: its owner says that it is to be mended.
  await world.run(node.transfers.recheck(id));
  await world.until("it seeds", isKind(node, id, "seeding"));
  assert.ok(bytesOf(node.machine, path)!.equals(content));
  await stop(node);
});

test("STO-3 state files of transfers that are cut off anywhere: no start fails, nothing wrong counts, and who cannot go on says why", async () => {
  const { world, node: whole, made, add, stop } = await four(98, 400_000);
  await add();
  const { id, content, path } = made[0]!;
  await world.until("a part", async () => (await whole.transfers.find(id))!.done > SIZE / 4);
  await world.pass(6_000);
  const folder = `/home/ann/state/transfers/${id.slice(0, 2)}`;
  for (const ending of ["torrent", "resume"] as const) {
    const file = `${folder}/${id}.${ending}`;
    const { bytes } = whole.machine.disk.find(file)!;
    for (const tenth of [0, 3, 7, 9]) {
      const node = await killed(world, whole, (machine) =>
        machine.disk.put(file, bytes.slice(0, (bytes.length * tenth) / 10)),
      );
      await world.pass(3_000);
      const state = await world.run(stateOf(node, id));
      if (ending === "torrent") {
        assert.ok(state.kind === "failed" && state.cause === "no-torrent-file", `${tenth}`);
      } else {
        assert.ok(["downloading", "checking", "seeding"].includes(state.kind), state.kind);
      }
      await node.stop();
    }
  }
  await world.until("it seeds", isKind(whole, id, "seeding"));
  assert.ok(bytesOf(whole.machine, path)!.equals(content));
  await stop(whole);
});

test("STO-8 the clock jumps by a day, forth and back: nobody stops seeding, no rate and no turn is lost, and the schedule follows", async () => {
  const world = new TransfersWorld(99);
  const [here, there] = [world.machine(), world.machine()];
  const { bytes } = await world.torrent(here, { size: 3 * SIZE });
  const shareLimits = { seedingMinutes: 600, idleMinutes: 120 };
  const seeder = await world.node(here, { settings: { shareLimits } });
  const { id } = await world.run(seeder.transfers.add({ torrent: bytes }, { root: HOME }));
  await world.until("it seeds", isKind(seeder, id, "seeding"));
  const day = 24 * 60 * 60_000;
  const leecher = await world.node(there);
  // The simulated week begins on a Thursday; the alternative rate is that of Fridays.
  const spans = [{ days: [5], begin: 0, end: 1_440 }];
  const alternative = { down: 20_000, up: 0, on: false, spans };
  const rates = { down: 10_000, up: 0 };
  await world.run(leecher.transfers.setSettings({ rates, alternative }));
  await world.run(leecher.transfers.add({ torrent: bytes }));
  const got = async (): Promise<number> =>
    (await world.run(leecher.transfers.find(id)))!.downloaded;
  const during = async (ms: number): Promise<number> => {
    const before = await got();
    await world.pass(ms);
    return ((await got()) - before) / (ms / 1_000);
  };
  await world.pass(10_000);
  assert.ok(Math.abs((await during(30_000)) - 10_000) < 4_000, "as on Thursdays");
  world.world.simulation.jumpWall(day);
  await world.pass(65_000);
  assert.ok(Math.abs((await during(30_000)) - 20_000) < 6_000, "as on Fridays");
  world.world.simulation.jumpWall(-2 * day);
  await world.pass(65_000);
  assert.ok(Math.abs((await during(30_000)) - 10_000) < 4_000, "as on Wednesdays");
  const announces = world.announces.length;
  world.world.simulation.jumpWall(day);
  await world.pass(5_000);
  assert.ok(world.announces.length - announces < 4, "no burst of announces");
  const { state, seededMs } = (await world.run(seeder.transfers.find(id)))!;
  assert.equal(state.kind, "seeding");
  assert.ok(seededMs < 10 * 60_000, `${seededMs} ms of seeding`);
  await leecher.stop();
  await seeder.stop();
});

test("STO-4 a state folder that takes no more: what is added is refused whole, and what is here goes on", async () => {
  const { world, node, here, made, add, all, stop } = await four(100);
  await add();
  await all("seeding", GOOD);
  await world.run(node.transfers.remove(made[0]!.id, false));
  here.files.refuseWrites = "ENOSPC";
  const { torrent } = made[0]!;
  await assert.rejects(world.run(node.transfers.add({ torrent })), { code: "disk-full" });
  assert.equal(await world.run(node.transfers.find(made[0]!.id)), undefined);
  assert.equal((await world.run(stateOf(node, made[1]!.id))).kind, "seeding");
  here.files.refuseWrites = undefined;
  await world.run(node.transfers.add({ torrent }));
  await world.until("it is here", isKind(node, made[0]!.id, "seeding"));
  await stop(node);
});
