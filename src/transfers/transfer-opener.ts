import type { MatchesGlob } from "../base/file-pattern.ts";
import type { RunWork } from "../base/work.ts";
import { unfinishedSuffix } from "../base/unfinished-names.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import { EngineError } from "../engine/engine-error.ts";
import type { ResumeState, TorrentEvent } from "../engine/session-contract.ts";
import { parseMagnet } from "../metainfo/magnet.ts";
import type { MagnetLink, Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import type { TransferRow } from "../store/transfers.ts";
import { AwakeTransfer } from "./awake-transfer.ts";
import { hadByResume, isAnyThere } from "./content-presence.ts";
import type { ContentTaking, TakingPlan } from "./content-taking.ts";
import { choiceOfFiles } from "./file-choice.ts";
import { groupOfLabel } from "./label-rates.ts";
import { placedInfo } from "./placed-info.ts";
import { fetchOrder, parseChoices, wantedFiles } from "./transfer-choices.ts";
import type { TransferEngine, TransferWays } from "./transfer-engine.ts";
import { trackersOf } from "./transfer-row.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import type { Failure } from "./transfer-state.ts";

export interface TransferOpenerParts {
  readonly content: Pick<FolderFiles, "stat">;
  readonly taking: Pick<ContentTaking, "plan">;
  readonly engine: TransferEngine;
  readonly shelf: TransferShelf;
  readonly clock: Clock;
  readonly log: Log;
  readonly run: RunWork;
  readonly matchesGlob: MatchesGlob;
}

/** What a transfer is made of, as it is stored. */
type Stored = { readonly metainfo: Metainfo } | { readonly magnet: MagnetLink };

export interface OpenedTransfer {
  readonly awake: AwakeTransfer;
  /** Files of other transfers that the engine has yet to compare. */
  readonly brought: ReadonlySet<number> | undefined;
  /** Resolves when all resumes handed out so far are durable, or could not be written. */
  readonly saved: () => Promise<void>;
}

/** Puts the torrent of a row into the engine. */
export class TransferOpener {
  readonly #parts: TransferOpenerParts;

  constructor(parts: TransferOpenerParts) {
    this.#parts = parts;
  }

  /**
   * @param how.quiet - Its trackers are not asked: its turns go on announcing it.
   * @returns What it is to take from other transfers first. Or why it cannot be opened, where its owner has to do
   *   something.
   */
  async open(
    row: TransferRow,
    how: { readonly quiet: boolean; readonly onEvent: (event: TorrentEvent) => void },
  ): Promise<OpenedTransfer | TakingPlan | Failure> {
    const { engine, shelf, clock, matchesGlob } = this.#parts;
    const from = await this.#load(row);
    if ("cause" in from) return from;
    const isWhole = row.whole === 1 && "metainfo" in from;
    // A whole torrent is judged piece by piece when peers ask; its resume would only say when it was whole.
    const resume = isWhole ? undefined : await shelf.loadResume(row.id);
    const choices = parseChoices(row.choices);
    const info = "metainfo" in from && placedInfo(from.metainfo.info, choices.names);
    if (info && !(await this.isContentThere(row, info, resume))) return noContent(row.root);
    if (!isWhole && info) {
      const plan = await this.#parts.taking.plan(row, info, resume);
      if (plan) return plan;
    }
    const taken = isWhole ? undefined : await shelf.loadTaken(row.id);
    // A resume knows the files that were compared; without one, these are ours all the same.
    const brought = taken?.isCompared === true && resume ? undefined : taken?.files;
    const wanted = (info: TorrentInfo): boolean[] => {
      const chosen = choiceOfFiles(choices, info, matchesGlob) ?? { select: [] };
      return wantedFiles(chosen, info.files.length);
    };
    // All files of a whole one have their names, and all are wanted as a rule: a thread of the disk has nothing to do.
    const isPlain = isWhole && wanted(from.metainfo.info).every(Boolean);
    let saving: Promise<void> = Promise.resolve();
    const save = (state: ResumeState): Promise<void> => {
      saving = saving.then(() => this.#saveResume(row.id, state));
      return saving;
    };
    try {
      const torrent = await engine.add(
        {
          from,
          root: row.root,
          mode: isWhole ? "seed" : "download",
          ...(!isWhole && { unfinishedSuffix: suffixOf }),
          // What we fetched is ours even when the resume is lost; everything else belongs to somebody.
          ...(!isWhole && { existing: isOurs(row, resume) ? "adopted" : "proven" }),
          resume,
          brought,
          ...(!isPlain && { select: wanted }),
          order: fetchOrder(choices),
          names: choices.names,
          downBytesPerSecond: choices.downBytesPerSecond,
          upBytesPerSecond: choices.upBytesPerSecond,
          group: groupOfLabel(row.label),
          onEvent: how.onEvent,
          ...(!isWhole && { saveResume: save }),
        },
        waysOf(row, from, how.quiet),
      );
      const counted = { uploaded: resume?.uploaded ?? 0, downloaded: resume?.downloaded ?? 0 };
      const nowMs = clock.nowMs();
      const { quiet } = how;
      return {
        awake: new AwakeTransfer({ row, torrent, quiet, counted, nowMs }),
        brought: taken?.isCompared === false ? taken.files : undefined,
        saved: () => saving,
      };
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "duplicate-torrent") throw error;
      const message = "this node already has the torrent as something else";
      return { cause: "elsewhere", message };
    }
  }

  /**
   * False when there were files of a transfer, and none of them is at its place. A disk that refuses to look is left to
   * the engine, which says why.
   *
   * @param info - With the paths that its files have on disk.
   */
  async isContentThere(
    row: TransferRow,
    info: TorrentInfo,
    resume: ResumeState | undefined,
  ): Promise<boolean> {
    if (row.finished_at === null && !resume) return true;
    const wanted = wantedFiles(parseChoices(row.choices), info.files.length);
    const hadFile =
      row.finished_at === null ? hadByResume(resume!) : (file: number) => wanted[file]!;
    try {
      return await isAnyThere(this.#parts.content, info, { root: row.root, hadFile });
    } catch (error) {
      this.#parts.log.debug("the files of a transfer were not looked for", {
        id: row.id,
        why: String(error),
      });
      return true;
    }
  }

  async #load(row: TransferRow): Promise<Stored | Failure> {
    if (row.magnet !== null) return { magnet: parseMagnet(row.magnet) };
    const metainfo = await this.#parts.shelf.loadTorrent(row.id);
    // A torrent is seeded from where it was downloaded to.
    if (metainfo) return { metainfo: { ...metainfo, info: withVisibleName(metainfo.info) } };
    const message = "its .torrent file in the state folder is gone or damaged; add it again";
    return { cause: "no-torrent-file", message };
  }

  async #saveResume(id: string, state: ResumeState): Promise<void> {
    try {
      await this.#parts.shelf.saveResume(id, state);
    } catch (error) {
      this.#parts.log.warn("how far a transfer got was not saved", { id, why: String(error) });
    }
  }
}

export function noContent(root: string): Failure {
  const message = `none of its files is in ${root}: is its disk there? It goes on when they are back; everseed recheck fetches them again`;
  return { cause: "no-content", message };
}

function isOurs(row: TransferRow, resume: ResumeState | undefined): boolean {
  return resume === undefined && row.downloaded > 0;
}

/** The suffix of a torrent's unfinished files. */
function suffixOf(info: TorrentInfo): string {
  return unfinishedSuffix(info.files.map((file) => file.path.join("/")));
}

function waysOf(row: TransferRow, from: Stored, quiet: boolean): TransferWays {
  const choices = parseChoices(row.choices);
  return {
    trackers: quiet ? [] : trackersOf(row),
    ownTrackers: quiet ? [] : (choices.ownTrackers ?? []),
    webSeeds: "metainfo" in from ? from.metainfo.webSeeds : from.magnet.webSeeds,
    httpSeeds: "metainfo" in from ? from.metainfo.httpSeeds : [],
    nodes: "metainfo" in from ? from.metainfo.nodes : [],
    peers: "magnet" in from ? from.magnet.peers : [],
    ownPeers: choices.peers ?? [],
  };
}
