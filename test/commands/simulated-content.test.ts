import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTorrent, type CheckEvent } from "../../src/commands/check-torrent.ts";
import {
  type CreateEvent,
  type CreateOptions,
  createTorrent,
} from "../../src/commands/create-torrent.ts";
import { LISTING, showTorrent } from "../../src/commands/show-torrent.ts";
import { type CommandMachine, HOME, NEVER, SimulatedWorld, someBytes } from "./simulated-world.ts";

const PIECE = 65_536;
const TIDES = someBytes(1, 500_000);
const NOTES = someBytes(2, 700);

function machineWithTalks(world: SimulatedWorld): CommandMachine {
  const machine = world.machine();
  machine.disk.put(`${HOME}/talks/notes.txt`, NOTES);
  machine.disk.put(`${HOME}/talks/tides.bin`, TIDES);
  return machine;
}

function create(machine: CommandMachine, options: Partial<CreateOptions> = {}) {
  return createTorrent(machine.ports, {
    path: "talks",
    overwrite: false,
    kind: "hybrid",
    pieceLength: PIECE,
    dated: true,
    onEvent: () => undefined,
    signal: NEVER,
    ...options,
  });
}

function check(machine: CommandMachine, onEvent: (event: CheckEvent) => void, signal = NEVER) {
  return checkTorrent(machine.ports, { source: "talks.torrent", folder: ".", onEvent, signal });
}

test("create, show and check, from the first event to the last, of every kind", async () => {
  for (const kind of ["v1", "v2", "hybrid"] as const) {
    const world = new SimulatedWorld(21);
    const machine = machineWithTalks(world);
    const events: CreateEvent[] = [];
    const onEvent = (event: CreateEvent): void => void events.push(event);
    const made = await world.run(create(machine, { kind, onEvent }), 60_000);
    assert.equal(made.file, "talks.torrent");
    assert.equal(made.infohashV1 === null, kind === "v2");
    assert.equal(events[0]?.kind, "planned");
    assert.deepEqual(events.at(-1), { kind: "hashed", bytesDone: TIDES.length + NOTES.length });

    const shown = await world.run(showTorrent(machine.ports, "talks.torrent"), 1000);
    assert.ok(shown.type === "torrent");
    assert.deepEqual([shown.kind, shown.infohashV1], [kind, made.infohashV1]);
    // By the wall clock of the simulation.
    assert.match(shown.creationDate ?? "", /^2026-01-01T00:00:0\d/);
    const paths = [...shown[LISTING]].map(({ path }) => path);
    assert.deepEqual(paths, ["talks/notes.txt", "talks/tides.bin"]);

    const steps: CheckEvent[] = [];
    const checked = await world.run(
      check(machine, (step) => void steps.push(step)),
      60_000,
    );
    assert.deepEqual([checked.ok, checked.bad, checked.pieces], [true, 0, made.pieces]);
    assert.equal(steps[0]?.kind, "begun");
    assert.ok(steps.slice(1).every((step) => step.kind === "checked"));
  }
});

test("check: one bad byte is one bad piece, and a missing file is reported as missing", async () => {
  const world = new SimulatedWorld(22);
  const machine = machineWithTalks(world);
  await world.run(create(machine), 60_000);
  machine.disk.damage(`${HOME}/talks/tides.bin`, 3 * PIECE);
  const bad = await world.run(
    check(machine, () => undefined),
    60_000,
  );
  assert.deepEqual([bad.ok, bad.bad], [false, 1]);
  machine.disk.remove(`${HOME}/talks/notes.txt`);
  const lacking = await world.run(
    check(machine, () => undefined),
    60_000,
  );
  assert.deepEqual(
    lacking.files.map(({ path, missing }) => [path, missing]),
    [
      ["talks/notes.txt", true],
      ["talks/tides.bin", false],
    ],
  );
});

test("check: when cancelled it ends with the signal's reason; a failing disk ends it with a message", async () => {
  const world = new SimulatedWorld(23);
  const machine = machineWithTalks(world);
  await world.run(create(machine), 60_000);
  const controller = new AbortController();
  const reason = new Error("the person ends it");
  const stop = ({ kind }: CheckEvent): void => {
    if (kind === "checked") controller.abort(reason);
  };
  await assert.rejects(world.run(check(machine, stop, controller.signal), 60_000), reason);
  const breaks = ({ kind }: CheckEvent): void => {
    if (kind === "checked") machine.disk.broken = true;
  };
  await assert.rejects(world.run(check(machine, breaks), 60_000), { code: "disk-error" });
});

test("create: when cancelled, on a full disk, or when a file changes, it leaves nothing behind", async () => {
  const world = new SimulatedWorld(24);
  const machine = machineWithTalks(world);
  const before = machine.disk.paths();
  const controller = new AbortController();
  const reason = new Error("the person ends it");
  const stop = ({ kind }: CreateEvent): void => {
    if (kind === "hashed") controller.abort(reason);
  };
  const cancelled = create(machine, { onEvent: stop, signal: controller.signal });
  await assert.rejects(world.run(cancelled, 60_000), reason);
  machine.files.refuseWrites = "ENOSPC";
  await assert.rejects(world.run(create(machine), 60_000), { code: "disk-full" });
  machine.files.refuseWrites = undefined;
  const grow = ({ kind }: CreateEvent): void => {
    if (kind === "planned") machine.disk.put(`${HOME}/talks/tides.bin`, someBytes(3, 500_001));
  };
  await assert.rejects(world.run(create(machine, { onEvent: grow }), 60_000), { code: "changed" });
  assert.deepEqual(machine.disk.paths(), before);
});
