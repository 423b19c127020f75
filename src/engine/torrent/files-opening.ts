import type { Work } from "../../base/work.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { OpenContent } from "../../ports/content.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { HashExchange } from "../exchange/hash-exchange.ts";
import type { AddTorrent } from "../session-contract.ts";
import type { BurstMember } from "../sharing/bursts.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import { openInSlices } from "../storage/open-in-slices.ts";
import { type OpenedContent, Opening, type OpeningOutput } from "../storage/opening.ts";
import { inTurns } from "./burst-content.ts";
import type { TorrentHost } from "./torrent-host.ts";

export interface FilesOpeningOptions {
  readonly host: TorrentHost;
  /** The torrent: everything that happens here is one of its bursts. */
  readonly member: BurstMember;
  readonly add: AddTorrent;
  readonly existing: ExistingFiles;
  readonly info: TorrentInfo;
  /** Piece layers that came with the .torrent, by hexadecimal root. */
  readonly layers: ReadonlyMap<string, Uint8Array>;
  readonly wantedFiles: readonly boolean[] | undefined;
}

/** What exists when the files are open. */
export interface OpenFiles {
  readonly hashes: HashExchange;
  readonly content: OpenContent;
  readonly found: OpenedContent;
  readonly wantedFiles: readonly boolean[] | undefined;
  /** The suffix of unfinished files; `undefined` when they have their final names from the start. */
  readonly unfinishedSuffix: string | undefined;
}

export type FilesOpeningOutput =
  | Exclude<OpeningOutput, { readonly kind: "opened" }>
  | { readonly kind: "opened"; readonly files: OpenFiles };

type Stage =
  | { readonly kind: "idle" }
  /** A removed torrent may still be closing the root, or the layout is being computed. */
  | { readonly kind: "preparing"; readonly cancel: () => void }
  | { readonly kind: "judging"; readonly content: OpenContent; readonly opening: Opening }
  | { readonly kind: "ended" };

/**
 * Leads from a torrent's info to open files of which we know what to believe: waits for the root, lays out the files
 * and judges them.
 *
 * idle -> preparing -> judging; any -> ended.
 */
export class FilesOpening {
  readonly #options: FilesOpeningOptions;
  readonly #clock: Clock;
  readonly #unfinishedSuffix: string | undefined;
  readonly #outputs = new OutputQueue<OpeningOutput>();
  /** Read before anything is judged. */
  #hashes: HashExchange | undefined;
  #wantedFiles: readonly boolean[] | undefined;
  /** Choices of files that the content has not carried out yet: nothing begins before. */
  #wishes = 0;
  #found: OpenedContent | undefined;
  #stage: Stage = { kind: "idle" };

  constructor(options: FilesOpeningOptions) {
    this.#options = options;
    this.#wantedFiles = options.wantedFiles;
    this.#unfinishedSuffix = options.add.unfinishedSuffix?.(options.info);
    const { clock } = options.host.ports;
    this.#clock = {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      startTimer: (delayMs, fire) => clock.startTimer(delayMs, () => this.#burst(fire)),
    };
  }

  get info(): TorrentInfo {
    return this.#options.info;
  }

  /** `undefined` until they are read. */
  get hashes(): HashExchange | undefined {
    return this.#hashes;
  }

  /** Called once. */
  begin(): void {
    const { host, add } = this.#options;
    const cancel = host.roots.waitFor(add.root, () => this.#burst(() => this.#layOut()));
    if (cancel) this.#stage = { kind: "preparing", cancel };
    else this.#layOut();
  }

  /** Other files are wanted now. */
  setWantedFiles(wanted: readonly boolean[]): void {
    this.#wantedFiles = wanted;
    if (this.#stage.kind === "judging") this.#setWanted(this.#stage.content, wanted);
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): FilesOpeningOutput | undefined {
    const output = this.#outputs.next();
    if (output && output.kind !== "opened") return output;
    if (output) this.#found = output.found;
    const found = this.#found;
    if (!found || this.#wishes > 0 || this.#stage.kind !== "judging") return undefined;
    this.#found = undefined;
    const { content } = this.#stage;
    const unfinishedSuffix = this.#unfinishedSuffix;
    const wantedFiles = this.#wantedFiles;
    const hashes = this.#hashes!;
    return { kind: "opened", files: { hashes, content, found, wantedFiles, unfinishedSuffix } };
  }

  /** Stops, and closes whatever is open. */
  async close(): Promise<void> {
    const stage = this.#stage;
    this.#stage = { kind: "ended" };
    if (stage.kind === "preparing") stage.cancel();
    if (stage.kind !== "judging") return;
    stage.opening.cancel();
    await new Promise<void>((done) => stage.content.bytes.close(done));
  }

  #layOut(): void {
    const { host, add, existing, info } = this.#options;
    const opened = openInSlices({
      source: host.ports.content,
      clock: this.#clock,
      info,
      root: add.root,
      hashesV2: this.#readHashes(),
      existing,
      unfinishedSuffix: this.#unfinishedSuffix,
      onOpened: (content) => this.#judge(content),
    });
    if (opened.kind === "done") this.#judge(opened.result);
    else this.#stage = { kind: "preparing", cancel: opened.cancel };
  }

  *#readHashes(): Work<Uint8Array | undefined> {
    const { info, layers, host } = this.#options;
    const { clock, random } = host.ports;
    this.#hashes = yield* HashExchange.inSteps({
      info,
      layers,
      nowMs: () => clock.nowMs(),
      random,
    });
    return this.#hashes.table;
  }

  #judge(opened: OpenContent): void {
    const { host, member, add, existing, info } = this.#options;
    const content = inTurns(opened, host.bursts, member);
    this.#wantedFiles ??= add.select?.(info);
    if (this.#wantedFiles) this.#setWanted(content, this.#wantedFiles);
    const opening = new Opening({
      info,
      content,
      clock: this.#clock,
      resume: add.resume,
      mode: add.mode,
      brought: add.brought,
      root: add.root,
      existing,
      unfinishedSuffix: this.#unfinishedSuffix,
      wantedFiles: this.#wantedFiles,
      saveResume: add.saveResume,
      resumeIntervalMs: host.settings.resumeIntervalMs,
      burst: this.#burst,
      outputs: this.#outputs,
    });
    this.#stage = { kind: "judging", content, opening };
  }

  #setWanted({ places }: OpenContent, wanted: readonly boolean[]): void {
    if (!places) return;
    this.#wishes += 1;
    places.setWanted(wanted, (outcome) => {
      this.#wishes -= 1;
      if (outcome.kind === "failure") this.#outputs.push({ kind: "refused", failure: outcome });
    });
  }

  readonly #burst = (run: () => void): void =>
    this.#options.host.bursts.run(run, this.#options.member);
}
