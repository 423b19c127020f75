import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../../base/work.ts";
import { planTorrent, buildMetainfo } from "../../metainfo/create.ts";
import { parseMetainfo } from "../../metainfo/parse-metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ContentLayout, OpenContent } from "../../ports/content.ts";
import { openInSlices } from "./open-in-slices.ts";

const FILES = 5_000;
const CONTENT = {} as OpenContent;

/** A clock that advances a millisecond each time it is read, and timers that a test fires. */
class SlowClock implements Clock {
  #ms = 0;
  waiting: (() => void) | undefined;
  timers = 0;
  nowMs = () => (this.#ms += 1);
  wallMs = () => this.#ms;
  startTimer(delayMs: number, fire: () => void) {
    assert.equal(delayMs, 0);
    this.waiting = fire;
    this.timers += 1;
    return { cancel: () => void (this.waiting = undefined) };
  }
}

// eslint-disable-next-line require-yield
function* noHashes(): Work<undefined> {
  return undefined;
}

function opening(clock: SlowClock, fileCount: number) {
  const files = Array.from({ length: fileCount }, (_, i) => ({ path: [`file ${i}`], length: 1 }));
  const plan = planTorrent({ name: "many", files, kind: "v1", pieceLength: 16_384 });
  const v1 = new Uint8Array(plan.geometry.pieceCount * 20);
  const { info } = parseMetainfo(buildMetainfo(plan, { v1 }).torrent);
  const opened: { readonly layout: ContentLayout; readonly content: OpenContent }[] = [];
  let layout: ContentLayout | undefined;
  const sliced = openInSlices({
    source: {
      open: (given) => {
        layout = given;
        return CONTENT;
      },
    },
    clock,
    info,
    root: "/root",
    hashesV2: noHashes(),
    existing: "own",
    unfinishedSuffix: ".part",
    onOpened: (content) => void opened.push({ layout: layout!, content }),
  });
  return { opened, sliced, layout: () => layout };
}

test("content of few files is opened at once, and nobody is called within the call", () => {
  const clock = new SlowClock();
  const { opened, sliced, layout } = opening(clock, 3);
  assert.equal(clock.timers, 0);
  assert.equal(opened.length, 0);
  assert.deepEqual(sliced, { kind: "done", result: CONTENT });
  assert.deepEqual(
    layout()!.files.map(({ path }) => path),
    ["many/file 0", "many/file 1", "many/file 2"],
  );
  assert.equal(layout()!.unfinishedSuffix, ".part");
});

test("content of very many files is opened in slices, between which others get a turn", () => {
  const clock = new SlowClock();
  const { opened } = opening(clock, FILES);
  while (clock.waiting) {
    assert.equal(opened.length, 0);
    const fire = clock.waiting;
    clock.waiting = undefined;
    fire();
  }
  assert.ok(clock.timers >= 3, `${clock.timers} slices`);
  assert.equal(opened.length, 1);
  assert.equal(opened[0]!.layout.files.length, FILES);
});

test("stopping between two slices opens nothing", () => {
  const clock = new SlowClock();
  const { opened, sliced } = opening(clock, FILES);
  assert.ok(clock.waiting);
  assert.ok(sliced.kind === "under-way");
  sliced.cancel();
  assert.equal(clock.waiting, undefined);
  assert.equal(opened.length, 0);
});
