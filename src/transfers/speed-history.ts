import type { SettingsStore } from "./transfer-settings.ts";

/** How far back speeds are known: a ring of slots, each of one length. */
export const SPEED_SPANS = {
  "5m": { slotMs: 5_000, slots: 60 },
  "1h": { slotMs: 30_000, slots: 120 },
  "24h": { slotMs: 600_000, slots: 144 },
} as const;
export type SpeedSpan = keyof typeof SPEED_SPANS;

/** Transfers whose speeds are known at one time; the one that moved something first is forgotten first. */
const TRANSFERS_MAX = 500;
const KEY = "transfer-speed";

/** Speeds of a span in bytes a second, one for each slot, the oldest first. Only whole slots count. */
export interface SpeedGraph {
  readonly slotMs: number;
  /** Wall milliseconds. */
  readonly endMs: number;
  readonly down: readonly number[];
  readonly up: readonly number[];
}

/**
 * What was moved in the last minutes, hour and day, by each transfer and by all of them. It costs memory only for
 * transfers that moved something. The day of all of them outlives a restart.
 */
export class SpeedHistory {
  readonly #store: SettingsStore;
  readonly #all = new SpeedRings();
  /** In the order in which they first moved something. */
  readonly #rings = new Map<string, SpeedRings>();
  /** Bytes at the last look. */
  readonly #seen = new Map<string, { readonly downloaded: number; readonly uploaded: number }>();
  #savedSlot = 0;

  constructor(store: SettingsStore) {
    this.#store = store;
  }

  /** Call it once a second with the bytes of its whole life. */
  count(
    id: string,
    { downloaded, uploaded }: { readonly downloaded: number; readonly uploaded: number },
    wallMs: number,
  ): void {
    const before = this.#seen.get(id);
    this.#seen.set(id, { downloaded, uploaded });
    if (!before) return;
    const down = Math.max(0, downloaded - before.downloaded);
    const up = Math.max(0, uploaded - before.uploaded);
    if (down + up === 0) return;
    this.#all.add(wallMs, down, up);
    this.#ringsOf(id).add(wallMs, down, up);
  }

  /** It does not run any more; what it moved stays known for a while. */
  handleClosed(id: string): void {
    this.#seen.delete(id);
  }

  forget(id: string): void {
    this.#seen.delete(id);
    this.#rings.delete(id);
  }

  /** @param id - Absent: of all of them. */
  graph(span: SpeedSpan, wallMs: number, id?: string): SpeedGraph {
    const rings = id === undefined ? this.#all : this.#rings.get(id);
    return (rings ?? NOTHING).graph(span, wallMs);
  }

  async load(wallMs: number): Promise<void> {
    const stored = await this.#store.get(KEY);
    if (isStored(stored)) this.#all.restore("24h", stored);
    this.#savedSlot = slotAt("24h", wallMs);
  }

  /** Saves the day of all of them when a slot has ended. @param always - Also in the middle of one. */
  async save(wallMs: number, always = false): Promise<void> {
    const slot = slotAt("24h", wallMs);
    if (slot === this.#savedSlot && !always) return;
    this.#savedSlot = slot;
    await this.#store.set(KEY, { ...this.#all.stored("24h") });
  }

  #ringsOf(id: string): SpeedRings {
    const known = this.#rings.get(id);
    if (known) return known;
    const made = new SpeedRings();
    this.#rings.set(id, made);
    if (this.#rings.size > TRANSFERS_MAX) {
      const [oldest] = this.#rings.keys();
      this.#rings.delete(oldest!);
    }
    return made;
  }
}

/** The bytes of the newest slot and of those before it. */
interface StoredRing {
  readonly slot: number;
  readonly down: readonly number[];
  readonly up: readonly number[];
}

class SpeedRings {
  readonly #rings = new Map(
    (["5m", "1h", "24h"] as const).map((span) => [span, new SpeedRing(span)]),
  );

  add(wallMs: number, down: number, up: number): void {
    for (const ring of this.#rings.values()) ring.add(wallMs, down, up);
  }

  graph(span: SpeedSpan, wallMs: number): SpeedGraph {
    return this.#rings.get(span)!.graph(wallMs);
  }

  stored(span: SpeedSpan): StoredRing {
    return this.#rings.get(span)!.stored();
  }

  restore(span: SpeedSpan, stored: StoredRing): void {
    this.#rings.get(span)!.restore(stored);
  }
}

class SpeedRing {
  readonly #span: SpeedSpan;
  /** Bytes of each slot, at its number modulo their count. */
  readonly #down: Float32Array;
  readonly #up: Float32Array;
  /** The number of the newest slot since the epoch. */
  #slot = 0;

  constructor(span: SpeedSpan) {
    const { slots } = SPEED_SPANS[span];
    this.#span = span;
    this.#down = new Float32Array(slots);
    this.#up = new Float32Array(slots);
  }

  add(wallMs: number, down: number, up: number): void {
    this.#goTo(slotAt(this.#span, wallMs));
    const at = this.#slot % this.#down.length;
    this.#down[at]! += down;
    this.#up[at]! += up;
  }

  graph(wallMs: number): SpeedGraph {
    const { slotMs, slots } = SPEED_SPANS[this.#span];
    const end = slotAt(this.#span, wallMs);
    const rates = (bytes: Float32Array): number[] =>
      Array.from({ length: slots }, (_, index) =>
        Math.round((this.#at(bytes, end - slots + index) * 1_000) / slotMs),
      );
    return { slotMs, endMs: end * slotMs, down: rates(this.#down), up: rates(this.#up) };
  }

  stored(): StoredRing {
    const list = (bytes: Float32Array): number[] =>
      Array.from(bytes, (_, index) =>
        Math.round(this.#at(bytes, this.#slot - bytes.length + 1 + index)),
      );
    return { slot: this.#slot, down: list(this.#down), up: list(this.#up) };
  }

  restore({ slot, down, up }: StoredRing): void {
    const { slots } = SPEED_SPANS[this.#span];
    if (down.length !== slots || up.length !== slots) return;
    this.#slot = slot;
    for (let index = 0; index < slots; index += 1) {
      const at = (slot - slots + 1 + index) % slots;
      this.#down[at] = down[index]!;
      this.#up[at] = up[index]!;
    }
  }

  #at(bytes: Float32Array, slot: number): number {
    const isKept = slot > this.#slot - bytes.length && slot <= this.#slot && slot >= 0;
    return isKept ? bytes[slot % bytes.length]! : 0;
  }

  /** A clock that was set back by more than a slot begins anew: no slot may get the bytes of another time. */
  #goTo(slot: number): void {
    if (slot === this.#slot || slot === this.#slot - 1) return;
    const slots = this.#down.length;
    if (slot < this.#slot || slot >= this.#slot + slots) {
      this.#down.fill(0);
      this.#up.fill(0);
    } else {
      for (let each = this.#slot + 1; each <= slot; each += 1) {
        this.#down[each % slots] = 0;
        this.#up[each % slots] = 0;
      }
    }
    this.#slot = slot;
  }
}

const NOTHING = new SpeedRings();

function slotAt(span: SpeedSpan, wallMs: number): number {
  return Math.floor(wallMs / SPEED_SPANS[span].slotMs);
}

/** Our own room wrote it; a hand that damaged it costs the history. */
function isStored(value: unknown): value is StoredRing {
  if (typeof value !== "object" || value === null) return false;
  if (!("slot" in value && "down" in value && "up" in value)) return false;
  const isList = (list: unknown): boolean =>
    Array.isArray(list) && list.every((each) => typeof each === "number" && each >= 0);
  return Number.isSafeInteger(value.slot) && isList(value.down) && isList(value.up);
}
