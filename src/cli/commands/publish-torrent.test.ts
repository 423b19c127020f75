import assert from "node:assert/strict";
import { test } from "node:test";
import type { FetchingEvent } from "../../commands/publish-torrent.ts";
import { Output } from "../output.ts";
import { FetchProgress } from "./publish-torrent.ts";

const EVIL = "\u001b]0;x\u0007\u001b[2J\u009b31m\u202e\r\nFORGED\u2028";
const STEERING =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|^FORGED/m;

const FETCH: FetchingEvent["fetch"] = {
  id: EVIL,
  name: EVIL,
  infohash: EVIL,
  createdAt: "2026-11-30T00:00:00.000Z",
  state: "stalled",
  problem: EVIL,
  size: null,
  bytesDone: 0,
  bytesPerSecond: 0,
  peers: 0,
  slowness: null,
  trackerNotices: [
    { kind: "warning", tracker: EVIL, message: EVIL },
    { kind: "failure", tracker: EVIL, message: EVIL },
  ],
  pageUrl: EVIL,
  torrent: null,
};

for (const json of [false, true]) {
  test(`CLI-1: no text of a hub that fetches a torrent steers the terminal${json ? ", as JSON" : ""}`, () => {
    let written = "";
    const sink = { isTTY: false, write: (text: string) => void (written += text) };
    const world = { stdout: sink, stderr: sink, env: {} };
    const output = new Output({ json, verbose: true, progress: "none" }, world);
    const progress = new FetchProgress(output);
    progress.update(FETCH);
    progress.update({ ...FETCH, state: "failed", size: 5 });
    assert.match(written, /FORGED/, "it is shown");
    assert.doesNotMatch(written, STEERING);
  });
}
