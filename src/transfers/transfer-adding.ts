import { wireInfohash } from "../base/infohash.ts";
import type { MatchesGlob } from "../base/file-pattern.ts";
import type { RunWork } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoredTransfer, TransferTable } from "../store/transfers.ts";
import { choiceOfFiles } from "./file-choice.ts";
import type { TransferChoices } from "./transfer-choices.ts";
import type { TransferEdit } from "./transfer-edits.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import {
  infohashesOfSource,
  readLink,
  readTorrentBytes,
  transferId,
  type TransferSource,
} from "./transfer-source.ts";
import { asDiskError, TransfersError } from "./transfers-error.ts";

/** Torrents that are added in one transaction. */
const BATCH = 500;
const NAME_CHARACTERS_MAX = 1_000;

/** A torrent as somebody gives it: the bytes of a .torrent file, or a magnet link or infohash. */
export type GivenTorrent = { readonly torrent: Uint8Array } | { readonly link: string };

export interface AddTransfer {
  /** Absolute folder that receives, or holds, the files. */
  readonly root?: string | undefined;
  readonly stopped?: boolean | undefined;
  readonly label?: string | undefined;
  /** Before all others in the queue. */
  readonly first?: boolean | undefined;
  readonly choices?: TransferChoices | undefined;
  /** One that is here already takes on the trackers, and the peers that are named for it. Everything else of it stays. */
  readonly merge?: boolean | undefined;
}

interface NewTransfer {
  readonly kind: "new";
  readonly row: StoredTransfer;
  /** The .torrent file, where there is one. */
  readonly bytes: Uint8Array | undefined;
}

/** @property prepare - Makes the folder; does nothing the second time. */
type AddTo = AddTransfer & { readonly root: string; readonly prepare: () => Promise<void> };

/** The outcome for each of several torrents. */
export type AddOutcome =
  | { readonly kind: "added"; readonly id: string }
  | { readonly kind: "known"; readonly id: string }
  | { readonly kind: "refused"; readonly error: TransfersError };

export interface TransferAddingParts {
  readonly transfers: TransferTable;
  readonly shelf: TransferShelf;
  readonly clock: Clock;
  readonly run: RunWork;
  readonly matchesGlob: MatchesGlob;
  readonly onAdded: (row: StoredTransfer) => void;
}

/** Makes rows of torrents that somebody gives. */
export class TransferAdding {
  readonly #parts: TransferAddingParts;

  constructor(parts: TransferAddingParts) {
    this.#parts = parts;
  }

  /** @param how.prepare - Makes the folder; called before the first is added. Its error ends the whole. */
  async addAll(given: readonly GivenTorrent[], how: AddTo): Promise<AddOutcome[]> {
    const outcomes: AddOutcome[] = [];
    for (let begin = 0; begin < given.length; begin += BATCH) {
      outcomes.push(...(await this.#addBatch(given.slice(begin, begin + BATCH), how)));
    }
    return outcomes;
  }

  async #addBatch(given: readonly GivenTorrent[], how: AddTo): Promise<AddOutcome[]> {
    const { transfers, shelf, onAdded } = this.#parts;
    const { first, last } = await transfers.positions();
    const rows: StoredTransfer[] = [];
    const outcomes: AddOutcome[] = [];
    for (const [index, each] of given.entries()) {
      const position = how.first === true ? first - given.length + index : last + 1 + index;
      const found = await this.#judge(each, { ...how, position });
      if (found.kind !== "new") {
        outcomes.push(found);
        continue;
      }
      const { row, bytes } = found;
      await how.prepare();
      try {
        // The file first: a row without it could not run.
        if (bytes) await shelf.saveTorrent(row.id, bytes);
        rows.push(row);
        outcomes.push({ kind: "added", id: row.id });
      } catch (error) {
        outcomes.push(refused(error));
      }
    }
    const added = new Set(await transfers.insertAll(rows));
    for (const row of rows) {
      if (added.has(row.id)) onAdded(row);
    }
    return outcomes.map((outcome) =>
      outcome.kind === "added" && !added.has(outcome.id)
        ? { kind: "known", id: outcome.id }
        : outcome,
    );
  }

  /** Changes nothing yet. */
  async #judge(
    given: GivenTorrent,
    how: AddTransfer & { readonly root: string; readonly position: number },
  ): Promise<AddOutcome | NewTransfer> {
    const { transfers } = this.#parts;
    try {
      const source = await this.#read(given);
      const { v1, v2 } = infohashesOfSource(source);
      const known =
        (v1 && (await transfers.findByWire(v1))) ??
        (v2 && (await transfers.findByWire(wireInfohash(v2))));
      if (known) return { kind: "known", id: known.id };
      const bytes = "bytes" in source ? source.bytes : undefined;
      return { kind: "new", row: this.#rowOf(source, how), bytes };
    } catch (error) {
      return refused(error);
    }
  }

  /** What one that is here already takes on of what is given. */
  async news(given: GivenTorrent, { choices }: AddTransfer): Promise<TransferEdit> {
    const source = await this.#read(given);
    return {
      joinTrackers: trackersIn(source).flat(),
      addTrackers: choices?.ownTrackers,
      addPeers: choices?.peers,
    };
  }

  async #read(given: GivenTorrent): Promise<TransferSource> {
    if ("link" in given) return readLink(given.link);
    return readTorrentBytes(given.torrent, this.#parts.run);
  }

  #rowOf(
    source: TransferSource,
    how: AddTransfer & { readonly root: string; readonly position: number },
  ): StoredTransfer {
    const wallMs = Math.floor(this.#parts.clock.wallMs());
    const infohashes = infohashesOfSource(source);
    const id = transferId(infohashes);
    const magnet = "magnet" in source ? source.magnet : undefined;
    const info = "metainfo" in source ? source.metainfo.info : undefined;
    const wished = { ...(magnet?.selectOnly && { select: magnet.selectOnly }), ...how.choices };
    const choices = info ? choiceOfFiles(wished, info, this.#parts.matchesGlob) : wished;
    if (!choices) {
      const words = wished.patterns?.join(" or ");
      throw new TransfersError("bad-choice", `No file of ${info!.name} fits ${words}.`);
    }
    return {
      id,
      infohash_v1: infohashes.v1 ?? null,
      infohash_v2: infohashes.v2 ?? null,
      name: (info?.name ?? magnet?.name ?? id).slice(0, NAME_CHARACTERS_MAX),
      root: how.root,
      magnet: "link" in source ? source.link : null,
      trackers: JSON.stringify(trackersIn(source)),
      private: info?.private === true ? 1 : 0,
      stopped: how.stopped === true ? 1 : 0,
      pause: how.stopped === true ? "asked" : null,
      failure: null,
      chore: null,
      finished_at: null,
      whole: 0,
      size: info?.geometry.dataLength ?? null,
      done: 0,
      downloaded: 0,
      uploaded: 0,
      seeded_ms: 0,
      seeded_until: 0,
      label: how.label ?? null,
      position: how.position,
      choices: JSON.stringify(choices),
      added_at: wallMs,
      active_at: wallMs,
      active_seeded: 0,
    };
  }
}

/** @throws What is no refusal. */
function refused(error: unknown): AddOutcome {
  const refusal = asDiskError(error, "its .torrent file was not saved");
  if (!(refusal instanceof TransfersError)) throw refusal;
  return { kind: "refused", error: refusal };
}

/** Tiers of announce URLs. */
function trackersIn(source: TransferSource): readonly (readonly string[])[] {
  return "metainfo" in source
    ? source.metainfo.trackers
    : source.magnet.trackers.map((url) => [url]);
}
