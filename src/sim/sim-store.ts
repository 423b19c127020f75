import { BLOCK_BYTES } from "../base/geometry.ts";
import { JudgedStore } from "../engine/judged-store.ts";
import type {
  ByteStore,
  ContentLayout,
  ContentSource,
  DiskFailure,
  DiskOutcome,
  OpenContent,
  SlabPool,
} from "../ports/content.ts";
import type { Hasher } from "../ports/hasher.ts";
import { SimHasher } from "./sim-hasher.ts";
import { SimSlabs } from "./sim-slabs.ts";
import type { Simulation } from "./simulation.ts";

const DONE: DiskOutcome = { kind: "done" };
/** Latency of every call, because another machine answers. */
const LATENCY_MS = 2;
const BYTES_PER_SECOND = 100 * 1024 * 1024;
/** Memory for judging pieces. */
const JUDGING_BYTES = 4 * 1024 * 1024;

/** What is stored under one root. */
interface Stored {
  /** The torrent's whole byte space. */
  readonly space: Uint8Array;
  /** Blocks of the space that were written. */
  readonly blocks: Set<number>;
}

/** The hasher that judges pieces. */
export interface SimStoreJudging {
  readonly hasher: Hasher;
  /** Memory for one content. */
  readonly slabs: () => SlabPool;
}

/**
 * The object storage of one simulated machine: bytes by root and offset, and nothing else. It knows
 * no hashes, it has no files to examine, and only its engine writes to it. It can refuse requests,
 * and it can be damaged.
 */
export class SimStore implements ContentSource {
  /** The code with which it refuses everything. */
  refuses: string | undefined;
  readonly hasher: SimHasher;
  readonly #judging: SimStoreJudging;
  readonly #simulation: Simulation;
  readonly #roots = new Map<string, Stored>();
  #busyUntilMs = 0;

  constructor(simulation: Simulation, judging?: SimStoreJudging) {
    this.#simulation = simulation;
    this.hasher = new SimHasher(simulation);
    this.#judging = judging ?? { hasher: this.hasher, slabs: () => new SimSlabs(JUDGING_BYTES) };
  }

  open(layout: ContentLayout): OpenContent {
    return new JudgedStore({
      layout,
      bytes: this.#bytes(layout),
      hasher: this.#judging.hasher,
      slabs: this.#judging.slabs(),
      clock: this.#simulation,
    });
  }

  /** Stores the whole space of a content. */
  put(root: string, space: Uint8Array): void {
    const blocks = new Set(Array(Math.ceil(space.length / BLOCK_BYTES)).keys());
    this.#roots.set(root, { space: space.slice(), blocks });
  }

  /** @returns The stored space of a content. */
  spaceOf(root: string): Uint8Array | undefined {
    return this.#roots.get(root)?.space;
  }

  /** Flips one byte. */
  damage(root: string, offset: number): void {
    this.#roots.get(root)!.space[offset]! ^= 0xff;
  }

  #bytes(layout: ContentLayout): ByteStore {
    const { geometry, root } = layout;
    const placeOf = (piece: number, begin: number): number => piece * geometry.pieceLength + begin;
    return {
      read: (slab, runs, onDone) => {
        const total = runs.reduce((sum, { length }) => sum + length, 0);
        this.#work(root, total, onDone, () => {
          for (const { piece, begin, length, slabOffset } of runs) {
            const into = slab.view.subarray(slabOffset, slabOffset + length);
            if (!this.#read(layout, placeOf(piece, begin), into)) return missing(root);
          }
          return DONE;
        });
      },
      write: (piece, { begin, length }, { slab, slabOffset }, onDone) => {
        this.#work(root, length, onDone, () => {
          const bytes = slab.view.subarray(slabOffset, slabOffset + length);
          this.#write(layout, placeOf(piece, begin), bytes);
          return DONE;
        });
      },
      sync: (onDone) => this.#work(root, 0, onDone, () => DONE),
      close: (onDone) => this.#inTurn(0, onDone),
    };
  }

  /**
   * @returns False when some of it was never written. Padding is not stored, and reads as zeros.
   */
  #read({ root, geometry }: ContentLayout, start: number, into: Uint8Array): boolean {
    const stored = this.#roots.get(root);
    into.fill(0);
    for (const { file, offset, length } of geometry.spans(start, into.length)) {
      const extent = geometry.files[file]!;
      if (extent.pad) continue;
      const from = extent.offset + offset;
      const end = from + length;
      for (let at = Math.floor(from / BLOCK_BYTES); at * BLOCK_BYTES < end; at += 1) {
        if (!stored?.blocks.has(at)) return false;
      }
      into.set(stored!.space.subarray(from, end), from - start);
    }
    return true;
  }

  #write({ root, geometry }: ContentLayout, start: number, bytes: Uint8Array): void {
    let stored = this.#roots.get(root);
    if (!stored) {
      stored = { space: new Uint8Array(geometry.spaceLength), blocks: new Set() };
      this.#roots.set(root, stored);
    }
    stored.space.set(bytes, start);
    const end = start + bytes.length;
    for (let at = Math.floor(start / BLOCK_BYTES); at * BLOCK_BYTES < end; at += 1) {
      stored.blocks.add(at);
    }
  }

  #work(
    root: string,
    bytes: number,
    onDone: (outcome: DiskOutcome) => void,
    job: () => DiskOutcome,
  ): void {
    this.#inTurn(bytes, () => onDone(this.#refusal(root) ?? job()));
  }

  #refusal(path: string): DiskFailure | undefined {
    const code = this.refuses;
    if (code === undefined) return undefined;
    return { kind: "failure", code, message: `the store answers ${code}`, path };
  }

  /** One request after the other, as over one connection. */
  #inTurn(bytes: number, job: () => void): void {
    const now = this.#simulation.nowMs();
    const beginMs = Math.max(now, this.#busyUntilMs);
    this.#busyUntilMs = beginMs + (bytes * 1000) / BYTES_PER_SECOND;
    this.#simulation.startTimer(this.#busyUntilMs + LATENCY_MS - now, job);
  }
}

function missing(path: string): DiskFailure {
  return { kind: "failure", code: "ENOENT", message: `${path} is not all there`, path };
}
