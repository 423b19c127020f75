import assert from "node:assert/strict";
import { test } from "node:test";
import { Geometry } from "../../base/geometry.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Reader, ReadPart, ReadRequest, Reads } from "../download/reads.ts";
import { TorrentReads } from "./torrent-reads.ts";

const KIB = 1024;

/** A hybrid of two files with padding between them, and the requests of its readers. */
function world() {
  const requests: ReadRequest[] = [];
  const closed: number[] = [];
  const answers: ((part: ReadPart) => void)[] = [];
  const geometry = new Geometry({
    pieceLength: 64 * KIB,
    files: [
      { offset: 0, length: 100 * KIB, pad: false },
      { offset: 100 * KIB, length: 28 * KIB, pad: true },
      { offset: 128 * KIB, length: 50 * KIB, pad: false },
      { offset: 178 * KIB, length: 0, pad: false },
    ],
    aligned: false,
  });
  const reads = new TorrentReads({
    info: () => ({ geometry }) as TorrentInfo,
    nowMs: () => 5_000,
    burst: (run) => run(),
  });
  const machine = {
    open: (request: ReadRequest) => {
      requests.push(request);
      return { id: requests.length - 1 } as Reader;
    },
    next: (reader: Reader) => void answers.push((part) => reads.handlePart(reader, part)),
    close: ({ id }: Reader) => void closed.push(id),
    end: () => undefined,
  } as unknown as Reads;
  const begin = (...[file, range, options]: Parameters<TorrentReads["read"]>) =>
    reads.read(file, range, options)[Symbol.asyncIterator]();
  return { reads, machine, requests, closed, answers, begin };
}

test("BEP 47: bytes of a file are found after the padding before it; padding itself is not read", async () => {
  const { reads, machine, requests, begin } = world();
  reads.handleOpened(machine);
  void begin(2, { begin: 10, end: 20 }, { deadline: 9_000, bytesPerSecond: 7 }).next();
  assert.deepEqual(requests, [
    { offset: 128 * KIB + 10, endOffset: 128 * KIB + 20, deadlineMs: 9_000, bytesPerSecond: 7 },
  ]);
  void begin(0, undefined, {}).next();
  assert.deepEqual(requests[1], {
    offset: 0,
    endOffset: 100 * KIB,
    deadlineMs: 5_000,
    bytesPerSecond: undefined,
  });
  await assert.rejects(begin(1, undefined, {}).next(), { code: "bad-range" });
  await assert.rejects(begin(0, { begin: 0, end: 100 * KIB + 1 }, {}).next(), {
    code: "bad-range",
  });
  assert.equal((await begin(3, undefined, {}).next()).done, true, "an empty file is soon read");
});

test("a reader that waits for the torrent to open starts then, unless it was cancelled or the torrent ended", async () => {
  const { reads, machine, requests, begin } = world();
  const abort = new AbortController();
  const [waiting, cancelled] = [
    begin(0, undefined, {}),
    begin(0, undefined, { signal: abort.signal }),
  ];
  void waiting.next();
  const gone = cancelled.next();
  abort.abort(new Error("never mind"));
  await assert.rejects(gone, { message: "never mind" });
  reads.handleOpened(machine);
  assert.equal(requests.length, 1);
  reads.end("stopped", "it is over");
  await assert.rejects(begin(0, undefined, {}).next(), { code: "stopped" });
});

test("an abort between two parts is reported at the next one, once; a waiting reader is closed", async () => {
  const { reads, machine, closed, answers, begin } = world();
  reads.handleOpened(machine);
  const abort = new AbortController();
  const iterator = begin(0, undefined, { signal: abort.signal });
  const first = iterator.next();
  answers[0]!({ kind: "bytes", bytes: new Uint8Array(3) });
  assert.equal((await first).value?.length, 3);
  abort.abort(new Error("enough"));
  assert.deepEqual(closed, [0]);
  answers[0]!({ kind: "bytes", bytes: new Uint8Array(3) });
  await assert.rejects(iterator.next(), { message: "enough" });
  assert.equal((await iterator.next()).done, true);
});

test("at most 64 readers wait for a torrent to open", async () => {
  const { begin } = world();
  for (let i = 0; i < 64; i += 1) void begin(0, undefined, {}).next();
  await assert.rejects(begin(0, undefined, {}).next(), { code: "too-many-readers" });
});
