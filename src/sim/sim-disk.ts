import { invariant } from "../base/errors.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import type { ContentLayout, ContentSource, DiskFailure, OpenContent } from "../ports/content.ts";
import { SimContent, type ContentDisk, type SimFile } from "./sim-content.ts";
import type { Simulation } from "./simulation.ts";

/** A disk of average speed with a warm cache. */
const DEFAULT_LATENCY_MS = 0.2;
const DEFAULT_BYTES_PER_SECOND = 400 * 1024 * 1024;

export interface SimDiskOptions {
  readonly simulation: Simulation;
  /** Time of every job. */
  readonly latencyMs?: number | undefined;
  /** Bytes hashed, read or written. */
  readonly bytesPerSecond?: number | undefined;
}

/**
 * The disk of one simulated machine: real hashes of bytes in memory, one job at a time in simulated
 * time. It can be slow, full below a folder, damaged, broken, stuck, or lie about what it reads; on
 * a stuck or lying disk an honest engine makes a silent or a false peer.
 */
export class SimDisk implements ContentSource, ContentDisk {
  readonly simulation: Simulation;
  /** Decides which blocks read as other bytes than they hold. */
  lies: ((piece: number, begin: number) => boolean) | undefined;
  /** True when no read ever completes. */
  stuck = false;
  /** True when nothing can be examined or read. */
  broken = false;
  /** True when a copy shares the blocks of its original. */
  sharesBlocks = false;
  readonly #latencyMs: number;
  readonly #bytesPerSecond: number;
  readonly #files = new Map<string, SimFile>();
  /** Bytes that may still be written, by folder. */
  readonly #room = new Map<string, number>();
  /** Codes with which writes are refused, by folder. */
  readonly #refusals = new Map<string, string>();
  #busyUntilMs = 0;

  constructor(options: SimDiskOptions) {
    this.simulation = options.simulation;
    this.#latencyMs = options.latencyMs ?? DEFAULT_LATENCY_MS;
    this.#bytesPerSecond = options.bytesPerSecond ?? DEFAULT_BYTES_PER_SECOND;
  }

  open(layout: ContentLayout): OpenContent {
    return new SimContent(this, layout);
  }

  /** Stores a whole file that takes no space. @param bytes - Lent for good, and not written to. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { ...this.#newFile(0), bytes, size: bytes.length });
  }

  find(path: string): SimFile | undefined {
    return this.#files.get(path);
  }

  /** Total bytes of all files. */
  paths(): string[] {
    return [...this.#files.keys()];
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    invariant(file, "there is a file to rename");
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  /** Gives a file a second name. */
  link(from: string, to: string): void {
    const file = this.#files.get(from);
    invariant(file, "there is a file to link to");
    this.#files.set(to, file);
  }

  /** Names of the same file. */
  namesOf(path: string): string[] {
    const file = this.#files.get(path);
    return this.paths().filter((known) => this.#files.get(known) === file);
  }

  unshare(path: string): void {
    const file = this.#files.get(path);
    if (!file || this.namesOf(path).length === 1) return;
    const inode = this.#files.size + 1;
    this.#files.set(path, {
      ...file,
      bytes: file.bytes.slice(),
      blocks: new Set(file.blocks),
      inode,
    });
  }

  /** Flips one byte of a file as a failing disk does: the file's stamp stays the same. */
  damage(path: string, offset: number): void {
    const file = this.#files.get(path);
    invariant(file && offset < file.size, "there is a byte to damage");
    const bytes = new Uint8Array(file.bytes);
    bytes[offset]! ^= 0xff;
    this.#files.set(path, { ...file, bytes });
  }

  /** Every write below a folder is refused. @param code - The system's; `undefined` ends it. */
  refuseWrites(folder: string, code: string | undefined): void {
    if (code === undefined) this.#refusals.delete(folder);
    else this.#refusals.set(folder, code);
  }

  /** Bytes that may still be written below a folder; `Infinity` without a limit. */
  setRoom(folder: string, bytes: number): void {
    this.#room.set(folder, bytes);
  }

  room(folder: string): number {
    return this.#room.get(folder) ?? Number.POSITIVE_INFINITY;
  }

  /** Writes at once. @returns The failure, if any; then nothing was written. */
  write(
    folder: string,
    path: string,
    options: { offset: number; bytes: Uint8Array; length: number },
  ): DiskFailure | undefined {
    const { offset, bytes, length } = options;
    const code = this.#refusals.get(folder);
    if (code !== undefined) return { kind: "failure", code, message: `${code} at ${path}`, path };
    const file = this.#files.get(path) ?? this.#newFile(length);
    const end = offset + bytes.length;
    const fresh: number[] = [];
    const last = Math.ceil(end / BLOCK_BYTES);
    for (let block = Math.floor(offset / BLOCK_BYTES); block < last; block += 1) {
      if (!file.blocks.has(block)) fresh.push(block);
    }
    const left = this.room(folder) - fresh.length * BLOCK_BYTES;
    if (left < 0) return { kind: "failure", code: "ENOSPC", message: "no space left", path };
    this.#room.set(folder, left);
    for (const block of fresh) file.blocks.add(block);
    file.bytes.set(bytes, offset);
    file.size = Math.max(file.size, end);
    file.mtimeMs = this.simulation.wallMs();
    this.#files.set(path, file);
    return undefined;
  }

  /** Runs a job when the earlier ones are done and the time for its bytes has passed. */
  work(bytes: number, job: () => void): void {
    const now = this.simulation.nowMs();
    const beginMs = Math.max(now, this.#busyUntilMs);
    this.#busyUntilMs = beginMs + this.#latencyMs + (bytes * 1000) / this.#bytesPerSecond;
    this.simulation.startTimer(this.#busyUntilMs - now, job);
  }

  #newFile(length: number): SimFile {
    return {
      bytes: new Uint8Array(length),
      blocks: new Set(),
      inode: this.#files.size + 1,
      size: 0,
      mtimeMs: this.simulation.wallMs(),
    };
  }
}
