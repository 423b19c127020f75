import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { ShelfSweep } from "./shelf-sweep.ts";

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const known = "0a".padEnd(40, "1");
const lost = "0a".padEnd(40, "2");
const young = "ff".padEnd(40, "3");

test("STO-14 a .torrent file whose row was never written is removed, an hour later and not in the start", async () => {
  const files = new Map([
    [`/shelf/0a/${known}.torrent`, NOW - 2 * HOUR],
    [`/shelf/0a/${known}.resume`, NOW - 2 * HOUR],
    [`/shelf/0a/${lost}.torrent`, NOW - 2 * HOUR],
    [`/shelf/0a/notes of mine.txt`, NOW - 2 * HOUR],
    [`/shelf/ff/${young}.torrent`, NOW - HOUR / 2],
  ]);
  const asked: string[] = [];
  let fire: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => NOW,
    startTimer: (_, run) => {
      fire = run;
      return { cancel: () => (fire = undefined) };
    },
  };
  const sweep = new ShelfSweep({
    folder: "/shelf",
    clock,
    log: SILENT_LOG,
    transfers: {
      idsWithPrefix: async (prefix) => {
        asked.push(prefix);
        return [known].filter((id) => id.startsWith(prefix));
      },
    },
    files: {
      list: async (path) =>
        [...files.keys()].flatMap((name) =>
          name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
        ),
      stat: async (path) => ({ folder: false, size: 1, mtimeMs: files.get(path)!, ctimeMs: 0 }),
      remove: async (path) => void files.delete(path),
    },
  });
  sweep.start();
  assert.equal(files.size, 5);
  for (let step = 0; step < 1_000 && fire; step += 1) {
    const now = fire;
    fire = undefined;
    now();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(fire, undefined, "one round");
  assert.deepEqual(asked, ["0a", "ff"], "folders without files cost no query");
  files.delete(`/shelf/0a/${known}.torrent`);
  assert.deepEqual(
    [...files.keys()],
    [`/shelf/0a/${known}.resume`, `/shelf/0a/notes of mine.txt`, `/shelf/ff/${young}.torrent`],
  );
});
