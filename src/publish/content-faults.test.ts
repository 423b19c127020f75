import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogFields, SILENT_LOG } from "../ports/log.ts";
import { ContentFaults } from "./content-faults.ts";

test("HUB-48: a torrent whose pieces are all damaged writes a line when it gets twice as bad, not one for each", () => {
  const lines: LogFields[] = [];
  const log = { ...SILENT_LOG, error: (_: string, fields: LogFields = {}) => lines.push(fields) };
  const changes: boolean[] = [];
  const faults = new ContentFaults(log, (_, isWhole) => changes.push(isWhole));
  const torrent = { id: "t", piece_count: 1_000 };
  for (let piece = 0; piece < 1_000; piece += 1) {
    faults.handleEvent(torrent, { kind: "piece-lost", piece });
  }
  assert.equal(faults.of("t")?.lostPieces.size, 1_000, "all are known");
  assert.match(faults.of("t")?.words ?? "", /^1000 of 1000 pieces/);
  const told = lines.map(({ fault }) => Number.parseInt(String(fault), 10));
  assert.deepEqual(told, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  for (let piece = 0; piece < 1_000; piece += 1) {
    faults.handleEvent(torrent, { kind: "piece", piece });
  }
  assert.equal(lines.length, 10, "repairing is no damage");
  assert.deepEqual(changes, [false, true]);
  faults.handleEvent(torrent, { kind: "piece-lost", piece: 7 });
  assert.equal(lines.length, 11, "what was whole and is damaged again is told at once");
});

test("HUB-19: lost files are told each time a look finds others", () => {
  const lines: unknown[] = [];
  const log = { ...SILENT_LOG, error: (_: string, { fault }: LogFields = {}) => lines.push(fault) };
  const faults = new ContentFaults(log, () => undefined);
  for (const lost of [[1], [1], [1, 2]]) {
    faults.handleRound("t", { kind: "files", lost: new Set(lost), fileCount: 9 });
  }
  assert.deepEqual(lines, [
    "1 of 9 files is lost or has another length on the disk of this hub.",
    "2 of 9 files are lost or have another length on the disk of this hub.",
  ]);
});
