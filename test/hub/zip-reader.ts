import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

export interface ReadEntry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly mode: number;
}

/** Reads an archive of stored entries by its directory, and compares all records with each other. */
export function readZip(bytes: Uint8Array): ReadEntry[] {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = zip.length - 22;
  assert.equal(zip.readUInt32LE(end), 0x06054b50, "the end is at the end");
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  assert.equal(at + zip.readUInt32LE(end + 12), end, "the directory ends where the end begins");
  const entries: ReadEntry[] = [];
  let next = 0;
  for (let index = 0; index < count; index += 1) {
    assert.equal(zip.readUInt32LE(at), 0x02014b50);
    const sum = zip.readUInt32LE(at + 16);
    const size = zip.readUInt32LE(at + 24);
    const nameLength = zip.readUInt16LE(at + 28);
    const mode = zip.readUInt16LE(at + 40);
    const start = zip.readUInt32LE(at + 42);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    assert.equal(start, next, "entries follow one another without gaps");
    assert.equal(zip.readUInt32LE(start), 0x04034b50);
    assert.equal(zip.toString("utf8", start + 30, start + 30 + nameLength), name);
    const dataStart = start + 30 + nameLength;
    const data = zip.subarray(dataStart, dataStart + size);
    assert.equal(crc32(data), sum, `the sum of ${name}`);
    const descriptor = dataStart + size;
    assert.equal(zip.readUInt32LE(descriptor), 0x08074b50);
    assert.equal(zip.readUInt32LE(descriptor + 4), sum);
    assert.equal(zip.readUInt32LE(descriptor + 12), size);
    next = descriptor + 16;
    entries.push({ name, bytes: data, mode });
    at += 46 + nameLength + zip.readUInt16LE(at + 30);
  }
  assert.equal(next, zip.readUInt32LE(end + 16), "the directory follows the last entry");
  return entries;
}
