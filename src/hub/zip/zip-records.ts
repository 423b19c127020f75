import { isoTime } from "../../base/iso-time.ts";

// The records of a ZIP file with stored entries (PKWARE's APPNOTE 6.3). Checksums follow their bytes in a descriptor,
// so that every record's offset is known before any content is read.

export const LOCAL_HEADER_BYTES = 30;
const CENTRAL_ENTRY_BYTES = 46;
const END_BYTES = 22;
/** The record and the locator in front of the end record of a large archive. */
const END_64_BYTES = 56 + 20;

/** The largest values of 32 and 16 bits; they mean "see the 64-bit field". */
const UINT32_MAX = 0xffff_ffff;
const UINT16_MAX = 0xffff;

const VERSION_NEEDED = 20;
const VERSION_NEEDED_64 = 45;
/** Written by a Unix system, so that readers honour the mode. */
const MADE_BY = (3 << 8) | VERSION_NEEDED_64;
/** The descriptor follows the bytes (bit 3), names are UTF-8 (bit 11). */
const FLAGS = (1 << 3) | (1 << 11);
const MODE_FILE = 0o100_644;
const MODE_PROGRAM = 0o100_755;

/** One file of the archive. */
export interface ZipEntry {
  /** UTF-8. */
  readonly name: Uint8Array;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
  /** The offset of its local header, from the start of the archive. */
  readonly start: number;
}

/** Date and time in the format of MS-DOS. */
export interface DosTime {
  readonly date: number;
  readonly time: number;
}

/** @returns The same moment in UTC; the format has no time zone. */
export function dosTime(wallMs: number): DosTime {
  const [year, month, day, hour, minute, second] = isoTime(wallMs)
    .split(/[-T:.Z]/)
    .map(Number) as [number, number, number, number, number, number];
  const sinceEpoch = Math.min(Math.max(year - 1980, 0), 127);
  return {
    date: (sinceEpoch << 9) | (month << 5) | day,
    time: (hour << 11) | (minute << 5) | (second >> 1),
  };
}

export function localHeader({ name, size }: Pick<ZipEntry, "name" | "size">, time: DosTime) {
  const record = new Record(LOCAL_HEADER_BYTES + name.length);
  record.uint32(0x04034b50);
  record.uint16(size >= UINT32_MAX ? VERSION_NEEDED_64 : VERSION_NEEDED);
  record.uint16(FLAGS);
  record.uint16(0);
  record.uint16(time.time);
  record.uint16(time.date);
  // The descriptor holds the checksum and sizes.
  record.zeros(12);
  record.uint16(name.length);
  record.uint16(0);
  record.bytes(name);
  return record.finish();
}

export function descriptorBytes(size: number): number {
  return size >= UINT32_MAX ? 24 : 16;
}

export function descriptor(size: number, crc32: number): Uint8Array {
  const record = new Record(descriptorBytes(size));
  record.uint32(0x08074b50);
  record.uint32(crc32);
  for (let count = 0; count < 2; count += 1) {
    if (size >= UINT32_MAX) record.uint64(size);
    else record.uint32(size);
  }
  return record.finish();
}

export function centralEntryBytes({ name, size, start }: Omit<ZipEntry, "executable">): number {
  return CENTRAL_ENTRY_BYTES + name.length + extraBytes(size, start);
}

export function centralEntry(entry: ZipEntry, crc32: number, time: DosTime): Uint8Array {
  const { name, size, start } = entry;
  const record = new Record(centralEntryBytes(entry));
  const extra = extraBytes(size, start);
  record.uint32(0x02014b50);
  record.uint16(MADE_BY);
  record.uint16(extra > 0 ? VERSION_NEEDED_64 : VERSION_NEEDED);
  record.uint16(FLAGS);
  record.uint16(0);
  record.uint16(time.time);
  record.uint16(time.date);
  record.uint32(crc32);
  record.uint32(Math.min(size, UINT32_MAX));
  record.uint32(Math.min(size, UINT32_MAX));
  record.uint16(name.length);
  record.uint16(extra);
  // Comment, disk, internal attributes.
  record.zeros(6);
  record.uint16(0);
  record.uint16(entry.executable ? MODE_PROGRAM : MODE_FILE);
  record.uint32(Math.min(start, UINT32_MAX));
  record.bytes(name);
  if (extra > 0) {
    record.uint16(1);
    record.uint16(extra - 4);
    if (size >= UINT32_MAX) {
      record.uint64(size);
      record.uint64(size);
    }
    if (start >= UINT32_MAX) record.uint64(start);
  }
  return record.finish();
}

/** Bytes of the field for 64-bit numbers. */
function extraBytes(size: number, start: number): number {
  const numbers = (size >= UINT32_MAX ? 2 : 0) + (start >= UINT32_MAX ? 1 : 0);
  return numbers === 0 ? 0 : 4 + numbers * 8;
}

/** The place and size of the central directory. */
export interface CentralDirectory {
  readonly entries: number;
  readonly start: number;
  readonly bytes: number;
}

export function endBytes(directory: CentralDirectory): number {
  return END_BYTES + (isLarge(directory) ? END_64_BYTES : 0);
}

export function endRecord(directory: CentralDirectory): Uint8Array {
  const { entries, start, bytes } = directory;
  const record = new Record(endBytes(directory));
  if (isLarge(directory)) {
    record.uint32(0x06064b50);
    record.uint64(44);
    record.uint16(MADE_BY);
    record.uint16(VERSION_NEEDED_64);
    record.zeros(8);
    record.uint64(entries);
    record.uint64(entries);
    record.uint64(bytes);
    record.uint64(start);
    record.uint32(0x07064b50);
    record.uint32(0);
    record.uint64(start + bytes);
    record.uint32(1);
  }
  record.uint32(0x06054b50);
  record.zeros(4);
  record.uint16(Math.min(entries, UINT16_MAX));
  record.uint16(Math.min(entries, UINT16_MAX));
  record.uint32(Math.min(bytes, UINT32_MAX));
  record.uint32(Math.min(start, UINT32_MAX));
  record.uint16(0);
  return record.finish();
}

function isLarge({ entries, start, bytes }: CentralDirectory): boolean {
  return entries >= UINT16_MAX || start >= UINT32_MAX || bytes >= UINT32_MAX;
}

/** A record's fields in order, least significant byte first. */
class Record {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  uint16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  uint32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  uint64(value: number): void {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
  }

  zeros(count: number): void {
    this.#at += count;
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  finish(): Uint8Array {
    return this.#bytes;
  }
}
