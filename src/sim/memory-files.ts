import { sha1, sha256 } from "../base/hash.ts";
import { equalBytes, fromHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import type { Geometry } from "../base/geometry.ts";
import type {
  ByteStore,
  ContentLayout,
  ContentSource,
  DiskFailure,
  FilePlaces,
  FileWatch,
  OpenContent,
  PieceJudge,
} from "../ports/content.ts";
import type { AppendFile, FileFacts, Files, ReadFile } from "../ports/files.ts";

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
    return new MemoryContent(this, layout);
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

/** The part of a content that publishing uses. */
class MemoryContent implements OpenContent, ByteStore, PieceJudge, FileWatch, FilePlaces {
  readonly bytes: ByteStore = this;
  readonly judge: PieceJudge = this;
  readonly watch: FileWatch = this;
  readonly places: FilePlaces = this;
  readonly layout: ContentLayout;
  readonly #disk: MemoryFiles;

  constructor(disk: MemoryFiles, layout: ContentLayout) {
    this.#disk = disk;
    this.layout = layout;
  }

  put(piece: number, begin: number, bytes: Uint8Array): DiskFailure | undefined {
    const { geometry } = this.layout;
    try {
      let done = 0;
      for (const span of geometry.spans(piece * geometry.pieceLength + begin, bytes.length)) {
        this.#disk.poke(
          this.#path(span.file),
          span.offset,
          bytes.subarray(done, done + span.length),
        );
        done += span.length;
      }
      return undefined;
    } catch (error) {
      return asFailure(error);
    }
  }

  write: ByteStore["write"] = (piece, run, { slab, slabOffset }, onDone) => {
    const bytes = slab.view.slice(slabOffset, slabOffset + run.length);
    queueMicrotask(() => onDone(this.put(piece, run.begin, bytes) ?? { kind: "done" }));
  };

  read: ByteStore["read"] = (slab, runs, onDone) => {
    const { geometry } = this.layout;
    for (const run of runs) {
      let at = run.slabOffset;
      for (const span of geometry.spans(run.piece * geometry.pieceLength + run.begin, run.length)) {
        const bytes = geometry.files[span.file]!.pad
          ? new Uint8Array(span.length)
          : this.#disk.bytes(this.#path(span.file)).subarray(span.offset);
        slab.view.set(bytes.subarray(0, span.length), at);
        at += span.length;
      }
    }
    queueMicrotask(() => onDone({ kind: "done" }));
  };

  sync: ByteStore["sync"] = (onDone) => {
    queueMicrotask(() => onDone({ kind: "done" }));
  };

  createEmpty: FilePlaces["createEmpty"] = (onDone) => {
    queueMicrotask(() => {
      try {
        for (const [index, file] of this.layout.geometry.files.entries()) {
          if (file.length === 0) this.#disk.poke(this.#path(index), 0, new Uint8Array(0));
        }
        onDone({ kind: "done" });
      } catch (error) {
        onDone(asFailure(error));
      }
    });
  };

  close: ByteStore["close"] = (onDone) => {
    queueMicrotask(onDone);
  };

  reopen: FileWatch["reopen"] = (_lost, onDone) => {
    queueMicrotask(() => onDone({ kind: "done" }));
  };

  verify: PieceJudge["verify"] = (piece, _options, onDone) => {
    queueMicrotask(() =>
      onDone({ kind: this.#isIntact(piece) ? "intact" : "corrupt", fault: "v1" }),
    );
  };

  ingest: PieceJudge["ingest"] = (piece, slab, want, onDone) => {
    const { geometry } = this.layout;
    const whole = new Uint8Array(geometry.pieceSize(piece));
    const data = whole.subarray(0, geometry.requestSize(piece));
    data.set(slab.view.subarray(0, data.length));
    queueMicrotask(() => {
      const failure = this.put(piece, 0, data);
      if (failure) return onDone(failure);
      onDone({
        ...(want.v1 && { v1: sha1(whole) }),
        ...(want.v2 && { v2: pieceRoot(data, geometry, piece) }),
      });
    });
  };

  store = notForPublishing;
  check = notForPublishing;
  stamp = notForPublishing;
  claim = notForPublishing;
  setAside = notForPublishing;
  setWanted = notForPublishing;
  finish = notForPublishing;
  freeSpace = notForPublishing;

  #isIntact(piece: number): boolean {
    const { geometry, hashes } = this.layout;
    const whole = new Uint8Array(geometry.pieceSize(piece));
    let at = 0;
    for (const span of geometry.spans(piece * geometry.pieceLength, whole.length)) {
      if (!geometry.files[span.file]!.pad) {
        const path = this.#path(span.file);
        if (!this.#disk.paths.includes(path)) return false;
        const stored = this.#disk.bytes(path).subarray(span.offset, span.offset + span.length);
        if (stored.length < span.length) return false;
        whole.set(stored, at);
      }
      at += span.length;
    }
    const v1 = hashes.v1?.subarray(piece * 20, piece * 20 + 20);
    const v2 = hashes.v2?.subarray(piece * 32, piece * 32 + 32);
    const data = whole.subarray(0, geometry.requestSize(piece));
    return (
      (!v1 || equalBytes(v1, sha1(whole))) &&
      (!v2 || equalBytes(v2, pieceRoot(data, geometry, piece)))
    );
  }

  #path(file: number): string {
    return `${this.layout.root}/${this.layout.files[file]!.path}`;
  }
}

function notForPublishing(): never {
  throw new Error("publishing does not ask for this");
}

const BLOCK = 16_384;

/** The merkle node over one piece (BEP 52), computed literally and slowly. */
function pieceRoot(bytes: Uint8Array, geometry: Geometry, piece: number): Uint8Array {
  let layer: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK)
    layer.push(sha256(bytes.subarray(at, at + BLOCK)));
  const file = geometry.files[geometry.fileAt(piece * geometry.pieceLength)]!;
  const small = file.length <= geometry.pieceLength;
  const width = small ? 2 ** Math.ceil(Math.log2(layer.length)) : geometry.pieceLength / BLOCK;
  while (layer.length < width) layer.push(new Uint8Array(32));
  while (layer.length > 1) {
    layer = Array.from({ length: layer.length / 2 }, (_, index) => {
      const pair = new Uint8Array(64);
      pair.set(layer[2 * index]!);
      pair.set(layer[2 * index + 1]!, 32);
      return sha256(pair);
    });
  }
  return layer[0] ?? fromHex("00".repeat(32))!;
}

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
