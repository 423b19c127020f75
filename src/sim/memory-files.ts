import { invariant } from "../base/errors.ts";
import { JudgedStore } from "../engine/judged-store.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ByteStore,
  ContentLayout,
  ContentSource,
  DiskFailure,
  DiskOutcome,
  FilePlaces,
  FileWatch,
  OpenContent,
} from "../ports/content.ts";
import type { AppendFile, FileFacts, Files, ReadFile } from "../ports/files.ts";
import { SimHasher } from "./sim-hasher.ts";
import { SimSlabs } from "./sim-slabs.ts";

/** Memory for judging the pieces of one content. */
const JUDGING_BYTES = 4 * 1024 * 1024;

/**
 * A small disk in memory that implements `Files` and, for uploads, `ContentSource`: publishing runs
 * on it from the first byte to the catalogue. Any change can be the last one before a kill
 * (`stopAfter`).
 */
export class MemoryFiles implements Files, ContentSource {
  readonly #files = new Map<string, Stored>();
  #changes = 0;
  /** Wall milliseconds of the newest write; the next is one later. A test may advance it. */
  lastWriteMs = 1_000;
  free = 1e15;
  /** The system's code with which every change is refused. */
  refuse: string | undefined;
  /**
   * After this many changes nothing changes any more and every promise rejects: the process is
   * dead.
   */
  stopAfter = Infinity;

  /** Changes so far. */
  get changes(): number {
    return this.#changes;
  }

  /** Paths of all files, sorted. */
  get paths(): string[] {
    return [...this.#files.keys()].filter((path) => !path.endsWith("/")).toSorted();
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** The bytes of a file; throws when it is absent. */
  bytes(path: string): Uint8Array {
    const stored = this.#files.get(path);
    invariant(stored, `${path} is there`);
    return stored.bytes;
  }

  /** True when two names share one copy. */
  same(one: string, other: string): boolean {
    return this.#files.get(one) === this.#files.get(other);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#files.get(path)?.bytes.slice();
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#change();
    this.#files.set(path, this.#stored(bytes.slice()));
  }

  async openAppend(path: string, length: number): Promise<AppendFile> {
    this.#change();
    const stored = this.#files.get(path) ?? this.#stored(new Uint8Array(0));
    this.#files.set(path, stored);
    stored.bytes = resized(stored.bytes, length);
    return {
      append: async (bytes) => {
        this.#change();
        const end = stored.bytes.length;
        stored.bytes = resized(stored.bytes, end + bytes.length);
        stored.bytes.set(bytes, end);
      },
      close: async () => undefined,
    };
  }

  async openRead(path: string): Promise<ReadFile | undefined> {
    const stored = this.#files.get(path);
    if (!stored) return undefined;
    return {
      size: stored.bytes.length,
      mtimeMs: stored.mtimeMs,
      read: async (into, position) => {
        const part = stored.bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      close: async () => undefined,
    };
  }

  async makeFolder(): Promise<void> {
    // A folder exists as soon as something is in it.
  }

  async move(from: string, to: string): Promise<void> {
    this.#change();
    const moved = [...this.#files].filter(([path]) => below(path, from));
    if (moved.length === 0) throw refusal("ENOENT", from);
    for (const [path, stored] of moved) {
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), stored);
    }
  }

  async copy(from: string, to: string): Promise<void> {
    const stored = this.#files.get(from);
    if (!stored) throw refusal("ENOENT", from);
    await this.write(to, stored.bytes);
  }

  async replaceByLink(existing: string, path: string): Promise<void> {
    this.#change();
    const stored = this.#files.get(existing);
    if (!stored) throw refusal("ENOENT", existing);
    this.#files.set(path, stored);
  }

  async remove(path: string): Promise<void> {
    this.#change();
    for (const known of this.#files.keys()) if (below(known, path)) this.#files.delete(known);
  }

  async list(path: string): Promise<readonly string[]> {
    const names = [...this.#files.keys()]
      .filter((known) => known.startsWith(`${path}/`))
      .map((known) => known.slice(path.length + 1).split("/")[0]!);
    return [...new Set(names)];
  }

  async stat(path: string): Promise<FileFacts | undefined> {
    const stored = this.#files.get(path);
    if (stored) {
      const { bytes, mtimeMs } = stored;
      return { folder: false, size: bytes.length, mtimeMs, ctimeMs: mtimeMs };
    }
    const folder = [...this.#files.keys()].some((known) => known.startsWith(`${path}/`));
    return folder ? { folder: true, size: 0, mtimeMs: 0, ctimeMs: 0 } : undefined;
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  open(layout: ContentLayout): OpenContent {
    const places = new MemoryPlaces(this, layout);
    const judged = new JudgedStore({
      layout,
      bytes: new MemoryBytes(this, layout),
      hasher: new SimHasher(AT_ONCE),
      slabs: new SimSlabs(JUDGING_BYTES),
      clock: AT_ONCE,
    });
    return { bytes: judged, judge: judged, watch: places, places };
  }

  /** Writes into the middle of a file and grows it if needed. */
  poke(path: string, position: number, bytes: Uint8Array): void {
    this.#change();
    const stored = this.#files.get(path) ?? this.#stored(new Uint8Array(0));
    this.#files.set(path, stored);
    stored.bytes = resized(stored.bytes, Math.max(stored.bytes.length, position + bytes.length));
    stored.bytes.set(bytes, position);
    stored.mtimeMs = this.lastWriteMs += 1;
  }

  #stored(bytes: Uint8Array): Stored {
    this.lastWriteMs += 1;
    return { bytes, mtimeMs: this.lastWriteMs };
  }

  #change(): void {
    if (this.#changes >= this.stopAfter) throw refusal("EKILLED", "the process is dead");
    if (this.refuse) throw refusal(this.refuse, "refused");
    this.#changes += 1;
  }
}

interface Stored {
  bytes: Uint8Array;
  mtimeMs: number;
}

/** The bytes of a content, over the files of the disk. */
class MemoryBytes implements ByteStore {
  readonly #disk: MemoryFiles;
  readonly #layout: ContentLayout;

  constructor(disk: MemoryFiles, layout: ContentLayout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  write: ByteStore["write"] = (piece, { begin, length }, { slab, slabOffset }, onDone) => {
    const { geometry } = this.#layout;
    const bytes = slab.view.slice(slabOffset, slabOffset + length);
    answer(onDone, () => {
      let done = 0;
      for (const span of geometry.spans(piece * geometry.pieceLength + begin, length)) {
        const part = bytes.subarray(done, done + span.length);
        if (!geometry.files[span.file]!.pad) {
          this.#disk.poke(pathOf(this.#layout, span.file), span.offset, part);
        }
        done += span.length;
      }
    });
  };

  read: ByteStore["read"] = (slab, runs, onDone) => {
    const { geometry } = this.#layout;
    answer(onDone, () => {
      for (const { piece, begin, length, slabOffset } of runs) {
        let at = slabOffset;
        for (const span of geometry.spans(piece * geometry.pieceLength + begin, length)) {
          slab.view.set(this.#part(span), at);
          at += span.length;
        }
      }
    });
  };

  sync: ByteStore["sync"] = (onDone) => answer(onDone, () => undefined);

  close: ByteStore["close"] = (onDone) => queueMicrotask(onDone);

  #part(span: { file: number; offset: number; length: number }): Uint8Array {
    if (this.#layout.geometry.files[span.file]!.pad) return new Uint8Array(span.length);
    const path = pathOf(this.#layout, span.file);
    if (!this.#disk.has(path)) throw refusal("ENOENT", `${path} is not there`);
    const part = this.#disk.bytes(path).subarray(span.offset, span.offset + span.length);
    if (part.length < span.length) throw refusal("EOF", `${path} is shorter`);
    return part;
  }
}

/** The part of watching and placing files that publishing uses. */
class MemoryPlaces implements FileWatch, FilePlaces {
  readonly #disk: MemoryFiles;
  readonly #layout: ContentLayout;

  constructor(disk: MemoryFiles, layout: ContentLayout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  createEmpty: FilePlaces["createEmpty"] = (onDone) =>
    answer(onDone, () => {
      for (const [index, file] of this.#layout.geometry.files.entries()) {
        if (file.length === 0) {
          this.#disk.poke(pathOf(this.#layout, index), 0, new Uint8Array(0));
        }
      }
    });

  reopen: FileWatch["reopen"] = (_lost, onDone) => answer(onDone, () => undefined);

  stamp = notForPublishing;
  claim = notForPublishing;
  setAside = notForPublishing;
  setWanted = notForPublishing;
  finish = notForPublishing;
}

function notForPublishing(): never {
  throw new Error("publishing does not ask for this");
}

function pathOf({ root, files }: ContentLayout, file: number): string {
  return `${root}/${files[file]!.path}`;
}

function answer(onDone: (outcome: DiskOutcome) => void, job: () => void): void {
  queueMicrotask(() => {
    let outcome: DiskOutcome = { kind: "done" };
    try {
      job();
    } catch (error) {
      outcome = asFailure(error);
    }
    onDone(outcome);
  });
}

/** Fires every timer at once: on this disk nothing takes time. */
const AT_ONCE: Clock = {
  nowMs: () => 0,
  wallMs: () => 0,
  startTimer: (_delayMs, fire) => {
    queueMicrotask(fire);
    return { cancel: () => undefined };
  },
};

function below(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(0, length));
  return copy;
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function asFailure(error: unknown): DiskFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
  return { kind: "failure", code, message: String(error), path: "" };
}
