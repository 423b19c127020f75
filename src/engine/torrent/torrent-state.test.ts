import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../base/errors.ts";
import type { DiskFailure } from "../../ports/content.ts";
import { partsOf, type Phase, shownState, type StateEvent, step } from "./torrent-state.ts";

type AnyPhase = Phase<string, string>;
type AnyEvent = StateEvent<string, string>;

const FULL: DiskFailure = { kind: "failure", code: "ENOSPC", message: "no space", path: "/x" };
const BROKEN: DiskFailure = { kind: "failure", code: "EIO", message: "it broke", path: "/y" };

/** Every event, with each of the values that make a difference. */
const EVENTS: readonly AnyEvent[] = [
  { kind: "start" },
  { kind: "described", opening: "opening" },
  { kind: "bad-info", message: "no dictionary" },
  { kind: "checked", piecesChecked: 1, piecesTotal: 2 },
  ...[true, false].flatMap((isWhole) =>
    [true, false].map(
      (mayBeUnnamed) => ({ kind: "opened", parts: "parts", isWhole, mayBeUnnamed }) as const,
    ),
  ),
  { kind: "whole" },
  { kind: "lacking" },
  { kind: "lost" },
  { kind: "wanted" },
  { kind: "confirmed" },
  { kind: "refused", failure: FULL },
  { kind: "refused", failure: BROKEN },
  { kind: "still", failure: FULL },
  { kind: "still", failure: BROKEN },
  { kind: "back" },
  { kind: "contradiction", message: "two hashes" },
  { kind: "stop" },
  { kind: "closed" },
];

type Kind = AnyPhase["kind"];

/** Where each event may lead: to phases, or nowhere because it is late. Everything else is impossible. */
const TABLE: Record<AnyEvent["kind"], Partial<Record<Kind, Kind | "late">>> = {
  start: { idle: "metadata" },
  described: { idle: "opening", metadata: "opening", ...late() },
  "bad-info": { metadata: "broken", ...late() },
  checked: { opening: "opening", ...late() },
  opened: { opening: "running", ...late() },
  whole: { running: "running", ...late() },
  lacking: { running: "running", ...late() },
  lost: { running: "running", ...late() },
  wanted: { running: "running", ...late() },
  confirmed: { running: "running", ...late() },
  refused: { opening: "opening", running: "running", ...late() },
  still: { running: "running", ...late() },
  back: { running: "running", ...late() },
  contradiction: { running: "broken", ...late() },
  stop: {
    idle: "stopping",
    metadata: "stopping",
    opening: "stopping",
    running: "stopping",
    broken: "stopping",
    stopping: "late",
    stopped: "late",
  },
  closed: { stopping: "stopped" },
};

function late(): Partial<Record<Kind, "late">> {
  return { broken: "late", stopping: "late", stopped: "late" };
}

function isPossible(phase: AnyPhase, event: AnyEvent): boolean {
  return TABLE[event.kind][phase.kind] !== undefined;
}

function hear(phase: AnyPhase, event: AnyEvent): ReturnType<typeof step<string, string>> {
  return step(phase, event);
}

/** Every reachable phase, each once. */
function reachable(): AnyPhase[] {
  const known = new Map<string, AnyPhase>();
  const open: AnyPhase[] = [{ kind: "idle" }];
  for (let phase = open.pop(); phase; phase = open.pop()) {
    const key = JSON.stringify(phase);
    if (known.has(key)) continue;
    known.set(key, deepFreeze(phase));
    for (const event of EVENTS) {
      if (isPossible(phase, event)) open.push(step(phase, event).next);
    }
  }
  return [...known.values()];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}

const PHASES = reachable();
for (const event of EVENTS) deepFreeze(event);

test("every phase can be reached", () => {
  const kinds = new Set(PHASES.map(({ kind }) => kind));
  assert.deepEqual([...kinds].toSorted(), [
    "broken",
    "idle",
    "metadata",
    "opening",
    "running",
    "stopped",
    "stopping",
  ]);
  const running = PHASES.filter((phase) => phase.kind === "running");
  for (const goal of ["wanting", "confirming", "done"]) {
    assert.ok(running.some((phase) => phase.goal === goal));
  }
});

for (const phase of PHASES) {
  test(`what ${JSON.stringify(phase)} does at every event`, () => {
    for (const event of EVENTS) judgePair(phase, event);
  });
}

function judgePair(phase: AnyPhase, event: AnyEvent): void {
  const told = JSON.stringify(event);
  const expected = TABLE[event.kind][phase.kind];
  if (expected === undefined) {
    assert.throws(() => step(phase, event), InvariantError, told);
    return;
  }
  const { next, effects } = step(phase, event);
  assert.deepEqual(step(phase, event), { next, effects }, `it is pure: ${told}`);
  if (expected === "late") {
    assert.equal(next, phase, told);
    assert.deepEqual(effects, [], told);
    return;
  }
  assert.equal(next.kind, expected, told);
  assert.equal(new Set(effects).size, effects.length, told);
  judgeNext(next);
  judgeTold(phase, event);
}

/** The conditions that hold in every phase. */
function judgeNext(next: AnyPhase): void {
  if (next.kind !== "running") return;
  const { goal, disk, shown, isTold } = next;
  if (disk !== "well") assert.deepEqual([goal, shown], ["wanting", "downloading"]);
  if (goal === "done") assert.deepEqual([shown, isTold, disk], ["seeding", true, "well"]);
}

/** The owner is told every state that something other than progress causes, and nothing twice. */
function judgeTold(phase: AnyPhase, event: AnyEvent): void {
  const { next, effects } = step(phase, event);
  const [was, is] = [shownState(phase), shownState(next)];
  const isSame = JSON.stringify(was) === JSON.stringify(is);
  // A seed whose files have their names is seeding within the same burst.
  const isPassing = event.kind === "opened" && event.isWhole && !event.mayBeUnnamed;
  if (effects.includes("tell-state")) assert.ok(!isSame || phase.kind === "stopping");
  else assert.ok(isSame || event.kind === "checked" || isPassing, `${was.kind} -> ${is.kind}`);
  if (effects.includes("tell-complete")) {
    assert.equal(event.kind, "confirmed");
    assert.ok(phase.kind === "running" && !phase.isTold);
    assert.deepEqual(is, { kind: "seeding" });
  }
}

test("complete is reported again after pieces were lost or newly wanted, not after a reader wanted some for a while", () => {
  for (const phase of PHASES) {
    if (phase.kind !== "running" || phase.goal !== "done") continue;
    for (const [kind, isTold] of [
      ["lost", true],
      ["wanted", true],
      ["lacking", false],
    ] as const) {
      const { next } = hear(phase, { kind });
      const { effects } = hear(hear(next, { kind: "whole" }).next, { kind: "confirmed" });
      assert.equal(effects.includes("tell-complete"), isTold, kind);
      assert.ok(effects.includes("drop-useless"));
    }
  }
});

test("any running torrent on a healthy disk is done once everything is had and confirmed", () => {
  for (const phase of PHASES) {
    if (phase.kind !== "running" || phase.disk !== "well") continue;
    const whole = step(phase, { kind: "whole" });
    const { next } = step(whole.next, { kind: "confirmed" });
    assert.ok(next.kind === "running" && next.goal === "done");
    if (phase.goal === "wanting") assert.deepEqual(whole.effects, ["confirm"]);
  }
});

test("whatever the disk refuses resumes when the disk is back", () => {
  for (const phase of PHASES) {
    if (phase.kind !== "running") continue;
    const { next } = step(phase, { kind: "refused", failure: FULL });
    assert.equal(shownState(next).kind, "waiting");
    const back = step(next, { kind: "back" });
    assert.deepEqual(back.effects, ["tell-state", "resume"]);
    assert.deepEqual(shownState(back.next), { kind: "downloading" });
  }
});

test("the first cause is reported, and another only when the disk is tried again", () => {
  const running = PHASES.find((phase) => phase.kind === "running" && phase.disk === "well")!;
  const { next } = step(running, { kind: "refused", failure: FULL });
  assert.equal(step(next, { kind: "refused", failure: BROKEN }).next, next);
  assert.equal(step(next, { kind: "still", failure: FULL }).next, next);
  const still = step(next, { kind: "still", failure: BROKEN });
  assert.deepEqual(shownState(still.next), {
    kind: "waiting",
    cause: "disk-error",
    message: BROKEN.message,
  });
});

test("what was open stays reachable until the end", () => {
  for (const phase of PHASES) {
    if (phase.kind === "stopped" || phase.kind === "stopping") continue;
    const stopping = step(phase, { kind: "stop" });
    assert.deepEqual(stopping.effects, ["shut-down"]);
    assert.deepEqual(shownState(stopping.next), shownState(phase), "until it has closed");
    const { next } = step(stopping.next, { kind: "closed" });
    assert.equal(partsOf(next), partsOf(phase));
    assert.deepEqual(shownState(next), { kind: "stopped" });
  }
});
