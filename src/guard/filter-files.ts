import { addressBytes } from "../base/endpoint.ts";
import { systemCode } from "../base/system-code.ts";
import type { Work } from "../base/work.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { FilterError } from "./filter-error.ts";
import { type FilterFacts, FilterReader } from "./filter-reader.ts";
import { type IpRanges, IpRangesBuilder } from "./ip-ranges.ts";

/** Between two looks at the stamps of the files. */
const LOOK_MS = 5_000;
/** Bytes read at once; between two reads other work runs. */
const READ_BYTES = 64 * 1024;
/** Work on the ranges that runs at once. */
const TURN_MS = 4;
/** Addresses whose verdict is remembered: most packets come from few. */
const VERDICTS_MAX = 4096;
const GZIP_MAGIC = [0x1f, 0x8b];

export interface FilterFilesOptions {
  /** As the user names them. */
  readonly paths: readonly string[];
  readonly files: Pick<UserFiles, "absolute" | "real" | "below">;
  /** Unpacks what comes out of a file. */
  readonly gunzip: (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly clock: Clock;
  readonly log: Log;
  /** Opens without the lists that cannot be used; each of them is read as soon as it can be. */
  readonly mayMiss?: boolean | undefined;
}

/** How the lists are doing. */
export interface FilterStatus {
  readonly ranges: number;
  /** Why the newest version of a file is not in use. */
  readonly trouble: string | undefined;
  /** Why files are not in use at all, a message each. */
  readonly missing: readonly string[];
}

/**
 * Lists of addresses that are kept away, as files. They are read again when they change; until the new lists are read,
 * and when they cannot be, the old ones hold.
 */
export class FilterFiles {
  readonly #options: FilterFilesOptions;
  readonly #listeners = new Set<() => void>();
  /** By address, for the ranges that hold. */
  readonly #verdicts = new Map<string, boolean>();
  #ranges: IpRanges;
  /** Why they are not in use, by the path. */
  #missing: ReadonlyMap<string, string>;
  #stamps: readonly string[];
  /** The stamps of the last look. A file is read when it looks the same twice: nobody writes to it then. */
  #seen: readonly string[];
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(options: FilterFilesOptions, read: Read) {
    this.#options = options;
    this.#ranges = read.ranges;
    this.#missing = read.missing;
    this.#stamps = read.stamps;
    this.#seen = read.stamps;
    this.#lookLater();
  }

  /** @throws {FilterError} (rejects) when one of the files cannot be used, unless `mayMiss`. */
  static async open(options: FilterFilesOptions): Promise<FilterFiles> {
    const filters = new FilterFiles(
      options,
      await readAll(options, () => options.mayMiss ?? false),
    );
    for (const message of filters.status().missing) {
      options.log.error(`${message}. It keeps no address away until it can be used`);
    }
    return filters;
  }

  status(): FilterStatus {
    const missing = [...this.#missing.values()];
    return { ranges: this.#ranges.count, trouble: this.#trouble, missing };
  }

  /** @param address - Text, with a scope or without. */
  has(address: string): boolean {
    const known = this.#verdicts.get(address);
    if (known !== undefined) return known;
    const bytes = addressBytes(address.replace(/%.*$/, ""));
    const verdict = bytes !== undefined && this.#ranges.has(bytes);
    if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear();
    this.#verdicts.set(address, verdict);
    return verdict;
  }

  /** Calls `listener` whenever other ranges hold. @returns Ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.startTimer(LOOK_MS, () => {
      void this.#look().finally(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    const { paths } = this.#options;
    const seen = await Promise.all(paths.map((path) => stampOf(this.#options, path)));
    const isSettled = isSame(seen, this.#seen);
    this.#seen = seen;
    if (isSettled && !isSame(seen, this.#stamps)) await this.#readAgain(seen);
  }

  async #readAgain(stamps: readonly string[]): Promise<void> {
    const { log } = this.#options;
    this.#stamps = stamps;
    try {
      // A list that was in use once holds in its last version: it cannot be missed any more.
      const read = await readAll(this.#options, (path) => this.#missing.has(path));
      if (this.#isClosed) return;
      [this.#ranges, this.#stamps, this.#trouble] = [read.ranges, read.stamps, undefined];
      this.#missing = read.missing;
      this.#verdicts.clear();
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#trouble = error.message;
      log.warn(`${error.message}. The addresses of the last version are still kept away.`);
      return;
    }
    log.info(`the IP filter was read again: ${this.#ranges.count} ranges`);
    for (const listener of this.#listeners) listener();
  }
}

interface Read {
  readonly ranges: IpRanges;
  readonly missing: ReadonlyMap<string, string>;
  readonly stamps: readonly string[];
}

/** @param mayMiss - Whether there can be ranges without this file. */
async function readAll(
  options: FilterFilesOptions,
  mayMiss: (path: string) => boolean,
): Promise<Read> {
  const { paths, clock, log } = options;
  const builder = new IpRangesBuilder();
  const missing = new Map<string, string>();
  const stamps: string[] = [];
  for (const path of paths) {
    try {
      stamps.push(await stampOf(options, path));
      tellBadLines(log, path, await readOne(options, path, builder));
    } catch (error) {
      const explained = explain(error, path);
      if (!(explained instanceof FilterError) || !mayMiss(path)) throw explained;
      // The lines before the fault hold.
      missing.set(path, explained.message);
    }
  }
  return { missing, ranges: await inTurns(clock, builder.build()), stamps };
}

async function readOne(
  options: FilterFilesOptions,
  path: string,
  into: IpRangesBuilder,
): Promise<FilterFacts> {
  const { files, gunzip } = options;
  const reader = new FilterReader(into);
  const packed = partsOf(files, files.real(files.absolute(path)));
  const { isGzip, parts } = await lookAtStart(packed);
  for await (const part of isGzip ? gunzip(parts) : parts) reader.push(part);
  return reader.finish();
}

async function* partsOf(
  files: FilterFilesOptions["files"],
  path: string,
): AsyncGenerator<Uint8Array> {
  const folder = files.below();
  try {
    const file = await folder.openRead(path);
    if (!file) throw new FilterError("not-found", "there is no such file");
    try {
      for (let position = 0; ;) {
        const buffer = new Uint8Array(READ_BYTES);
        const bytes = await file.read(buffer, position);
        if (bytes === 0) return;
        position += bytes;
        yield buffer.subarray(0, bytes);
      }
    } finally {
      await file.close();
    }
  } finally {
    folder.close();
  }
}

async function lookAtStart(
  parts: AsyncGenerator<Uint8Array>,
): Promise<{ readonly isGzip: boolean; readonly parts: AsyncIterable<Uint8Array> }> {
  const first = await parts.next();
  if (first.done) return { isGzip: false, parts };
  const isGzip = GZIP_MAGIC.every((byte, index) => first.value[index] === byte);
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield first.value;
    yield* parts;
  };
  return { isGzip, parts: whole() };
}

/** @returns What changes when a file does; the same text while it is away. */
async function stampOf({ files }: FilterFilesOptions, path: string): Promise<string> {
  const folder = files.below();
  try {
    const facts = await folder.stat(files.real(files.absolute(path)));
    return facts ? `${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}` : "";
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return "";
  } finally {
    folder.close();
  }
}

function tellBadLines(log: Log, path: string, { badLines, firstBadLine }: FilterFacts): void {
  if (firstBadLine === undefined) return;
  const lines = badLines === 1 ? "1 line" : `${badLines} lines`;
  log.warn(
    `${lines} of the IP filter ${path} cannot be read, the first is line ${firstBadLine}. ` +
      "The other lines hold",
  );
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof FilterError) {
    const detail = `The IP filter ${path} cannot be used: ${error.message}`;
    return new FilterError(error.code, detail, { cause: error });
  }
  const code = systemCode(error);
  if (code === undefined) return error;
  const why = WORDS.get(code) ?? `it cannot be read (${code})`;
  const detail = `The IP filter ${path} cannot be used: ${why}`;
  return new FilterError(code === "ENOENT" ? "not-found" : "not-readable", detail, {
    cause: error,
  });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "this user may not read it"],
  ["Z_DATA_ERROR", "it is a damaged gzip archive"],
  ["Z_BUF_ERROR", "it is a gzip archive that ends early"],
]);

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.every((text, index) => text === other[index]);
}

/** Runs work a few milliseconds at a time. */
async function inTurns<Result>(clock: Clock, work: Work<Result>): Promise<Result> {
  for (;;) {
    const beginMs = clock.nowMs();
    while (clock.nowMs() - beginMs < TURN_MS) {
      const step = work.next();
      if (step.done) return step.value;
    }
    await new Promise<void>((resolve) => clock.startTimer(0, resolve));
  }
}
