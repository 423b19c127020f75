import { invariant } from "../base/errors.ts";
import type { Slab, SlabPool } from "../ports/content.ts";

/** The pool claims memory from the system in parts of about this size. */
const ARENA_BYTES = 4 * 1024 * 1024;
/** Slabs start at multiples of this, a cache line. */
const SLAB_ALIGNMENT = 64;
/**
 * A free arena is carved anew for another size when this would waste at most this fraction of it.
 */
const WASTE_MAX = 1 / 4;

/** A part of an arena. Workers identify it by its buffer, `view.byteOffset` and its length. */
class ArenaSlab implements Slab {
  readonly view: Uint8Array;
  readonly arena: Arena;
  lent = false;

  constructor(arena: Arena, offset: number, bytes: number) {
    this.arena = arena;
    this.view = new Uint8Array(arena.memory, offset, bytes);
  }
}

/** One block of shared memory, cut into slabs of one size. */
class Arena {
  readonly owner: SlabPool;
  readonly memory: SharedArrayBuffer;
  slabBytes = 0;
  slabCount = 0;
  free: ArenaSlab[] = [];

  constructor(owner: SlabPool, bytes: number) {
    this.owner = owner;
    this.memory = new SharedArrayBuffer(bytes);
  }

  get idle(): boolean {
    return this.free.length === this.slabCount;
  }

  carve(slabBytes: number): void {
    this.slabBytes = slabBytes;
    this.slabCount = Math.floor(this.memory.byteLength / slabBytes);
    this.free = [];
    for (let index = this.slabCount - 1; index >= 0; index -= 1) {
      this.free.push(new ArenaSlab(this, index * slabBytes, slabBytes));
    }
  }
}

export interface ArenaSlabPoolOptions {
  /** Bytes of shared memory the pool may claim. */
  readonly limitBytes: number;
  /** The pool dropped this memory; other holders should drop it too. */
  readonly onDrop?: ((memory: SharedArrayBuffer) => void) | undefined;
}

/**
 * Lends slabs from arenas of shared memory, each carved for one slab size. An arena with no slab
 * lent can be carved for another size, or dropped to make room, so that the sizes of one torrent do
 * not starve the next. The pool claims memory on demand and never exceeds the limit.
 */
export class ArenaSlabPool implements SlabPool {
  readonly limitBytes: number;
  readonly #onDrop: (memory: SharedArrayBuffer) => void;
  /** Keyed by slab size. */
  readonly #arenas = new Map<number, Arena[]>();
  #claimedBytes = 0;
  #lentBytes = 0;

  constructor(options: ArenaSlabPoolOptions) {
    this.limitBytes = options.limitBytes;
    this.#onDrop = options.onDrop ?? (() => undefined);
  }

  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** Bytes of shared memory claimed from the system, lent or not. */
  get claimedBytes(): number {
    return this.#claimedBytes;
  }

  take(bytes: number): Slab | undefined {
    invariant(bytes > 0 && Number.isInteger(bytes), "a slab holds a whole number of bytes");
    const slabBytes = Math.ceil(bytes / SLAB_ALIGNMENT) * SLAB_ALIGNMENT;
    const arena = this.#arenaWithRoom(slabBytes);
    const slab = arena?.free.pop();
    if (!slab) return undefined;
    slab.lent = true;
    this.#lentBytes += slabBytes;
    return slab;
  }

  give(slab: Slab): void {
    invariant(
      slab instanceof ArenaSlab && slab.arena.owner === this,
      "each pool gets its own back",
    );
    invariant(slab.lent, "a slab is given back once");
    slab.lent = false;
    slab.arena.free.push(slab);
    this.#lentBytes -= slab.arena.slabBytes;
  }

  #arenaWithRoom(slabBytes: number): Arena | undefined {
    const own = this.#arenas.get(slabBytes)?.find((arena) => arena.free.length > 0);
    return own ?? this.#recarve(slabBytes) ?? this.#claim(slabBytes);
  }

  /** Carves an idle arena of another size, if it fits well. */
  #recarve(slabBytes: number): Arena | undefined {
    for (const arena of this.#idleArenas()) {
      const bytes = arena.memory.byteLength;
      if (bytes < slabBytes || (bytes % slabBytes) / bytes > WASTE_MAX) continue;
      this.#remove(arena);
      this.#insert(arena, slabBytes);
      return arena;
    }
    return undefined;
  }

  /** Claims new memory, and drops idle arenas if the limit requires it. */
  #claim(slabBytes: number): Arena | undefined {
    if (this.#claimedBytes + slabBytes > this.limitBytes) this.#dropIdle(slabBytes);
    const roomBytes = this.limitBytes - this.#claimedBytes;
    const slabCount = Math.floor(Math.min(roomBytes, Math.max(ARENA_BYTES, slabBytes)) / slabBytes);
    if (slabCount === 0) return undefined;
    const arena = new Arena(this, slabCount * slabBytes);
    this.#claimedBytes += arena.memory.byteLength;
    this.#insert(arena, slabBytes);
    return arena;
  }

  #dropIdle(bytesWanted: number): void {
    const idle = this.#idleArenas();
    const reachable = idle.reduce((sum, arena) => sum + arena.memory.byteLength, 0);
    // Drop nothing when even dropping everything would not free enough.
    if (this.#claimedBytes - reachable + bytesWanted > this.limitBytes) return;
    for (const arena of idle) {
      if (this.#claimedBytes + bytesWanted <= this.limitBytes) return;
      this.#remove(arena);
      this.#claimedBytes -= arena.memory.byteLength;
      this.#onDrop(arena.memory);
    }
  }

  #idleArenas(): Arena[] {
    return [...this.#arenas.values()].flat().filter((arena) => arena.idle);
  }

  #insert(arena: Arena, slabBytes: number): void {
    arena.carve(slabBytes);
    const siblings = this.#arenas.get(slabBytes);
    if (siblings) siblings.push(arena);
    else this.#arenas.set(slabBytes, [arena]);
  }

  #remove(arena: Arena): void {
    const siblings = this.#arenas.get(arena.slabBytes) ?? [];
    siblings.splice(siblings.indexOf(arena), 1);
    if (siblings.length === 0) this.#arenas.delete(arena.slabBytes);
  }
}
