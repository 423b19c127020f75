import { equalBytes } from "../base/bytes.ts";
import { type Infohashes, wireInfohashes } from "../base/infohash.ts";
import {
  isSigned,
  isValue,
  type MutableItem,
  PUBLIC_KEY_BYTES,
  SALT_BYTES_MAX,
  VALUE_BYTES_MAX,
} from "../dht/item.ts";
import { decodePointer, type PublicationPlace } from "../dht/mutable-torrent.ts";
import { KEPT_VERSIONS_MAX, type KeptVersionStatus } from "../dht/version-keeper.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { Signatures } from "../ports/signatures.ts";
import type { TorrentTable } from "../store/torrents.ts";
import type { TorrentVersionRow, TorrentVersionTable } from "../store/torrent-versions.ts";
import { PublishError } from "./publish-error.ts";
import { infohashesOf } from "./row-infohashes.ts";

/** Publications that one torrent may be a version of. */
const PUBLICATIONS_OF_ONE_MAX = 16;

/** Stores items in the DHT again and again. */
export interface ItemKeeper {
  /** In place of an older version of the same publication. */
  keep(item: MutableItem): void;
  drop(place: PublicationPlace): void;
  /** @returns `undefined` for what is not kept. */
  statusOf(place: PublicationPlace): KeptVersionStatus | undefined;
}

export interface TorrentVersionsOptions {
  readonly versions: TorrentVersionTable;
  readonly torrents: Pick<TorrentTable, "find">;
  readonly signatures: Signatures;
  /** `undefined` while there is none: versions are saved, and wait. */
  readonly keeper: () => ItemKeeper | undefined;
}

/** A torrent as a version of a publication. */
export interface TorrentVersion {
  readonly place: PublicationPlace;
  readonly sequence: bigint;
  /** Finds the newest version. */
  readonly link: string;
  /**
   * `kept`: nodes of the DHT have it. `waits`: none has taken it yet. `off`: the hub has no DHT. `older`: there is a newer
   * version.
   */
  readonly state: "kept" | "waits" | "off" | "older";
  /** When nodes last took it, in wall milliseconds. */
  readonly storedMs: number | undefined;
  /** Nodes that took it then. */
  readonly nodes: number;
  /** The torrent here that is the newest version; `undefined` when this one is, or when the newest is not here. */
  readonly newerId: string | undefined;
}

/**
 * The torrents of a hub that are versions of publications (BEP 46). Their publishers sign an item for each, and the hub keeps
 * it in the DHT as long as the torrent is published. The hub never sees a secret key.
 */
export class TorrentVersions {
  readonly #options: TorrentVersionsOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: TorrentVersionsOptions) {
    this.#options = options;
  }

  /** Keeps what earlier runs were given. */
  async start(): Promise<void> {
    const { versions, keeper } = this.#options;
    for (const row of await versions.listKept(KEPT_VERSIONS_MAX)) keeper()?.keep(itemOf(row));
  }

  /**
   * Takes a signed item that names a torrent, and keeps it in the DHT.
   *
   * @throws {PublishError} (rejects) `bad-version` when it proves nothing about this torrent; `older-version` when the hub has
   * a newer one; `too-many-versions`; `not-found`.
   */
  async accept(torrentId: string, item: MutableItem): Promise<void> {
    return this.#alone(async () => {
      const { versions, torrents, keeper } = this.#options;
      const torrent = await torrents.find(torrentId);
      if (!torrent) throw new PublishError("not-found", "There is no such torrent.");
      if (torrent.private === 1) {
        throw badVersion("A private torrent has no place in the DHT.");
      }
      this.#judge(item, infohashesOf(torrent));
      const row = rowOf(torrentId, item);
      const newest = await versions.findNewest(row);
      if (newest) refuseOlder(row, newest);
      else await this.#refuseTooMany(torrentId);
      await versions.save(row);
      keeper()?.keep(item);
    });
  }

  /** The publications that a torrent is a version of. */
  async listOf(torrentId: string): Promise<TorrentVersion[]> {
    const rows = await this.#options.versions.listOf(torrentId);
    return Promise.all(rows.map((row) => this.#describe(row)));
  }

  /** The torrent is published no more: what names it is not stored again. */
  async handleRemoved(torrentId: string): Promise<void> {
    await this.#alone(async () => {
      for (const row of await this.#newestOf(torrentId)) {
        this.#options.keeper()?.drop(itemOf(row));
      }
    });
  }

  async handleRestored(torrentId: string): Promise<void> {
    await this.#alone(async () => {
      for (const row of await this.#newestOf(torrentId)) {
        this.#options.keeper()?.keep(itemOf(row));
      }
    });
  }

  /** Versions of a torrent that no newer one has replaced. */
  async #newestOf(torrentId: string): Promise<TorrentVersionRow[]> {
    const { versions } = this.#options;
    const newest: TorrentVersionRow[] = [];
    for (const row of await versions.listOf(torrentId)) {
      if ((await versions.findNewest(row))?.sequence === row.sequence) newest.push(row);
    }
    return newest;
  }

  #judge(item: MutableItem, infohashes: Infohashes): void {
    const { publicKey, salt, value } = item;
    if (publicKey.length !== PUBLIC_KEY_BYTES) {
      throw badVersion(`A key has ${PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}.`);
    }
    if (salt.length > SALT_BYTES_MAX) {
      throw badVersion(`The salt has ${salt.length} bytes. The DHT takes ${SALT_BYTES_MAX}.`);
    }
    if (value.length > VALUE_BYTES_MAX || !isValue(value)) {
      throw badVersion(
        `The value has to be bencoded, in ${VALUE_BYTES_MAX} bytes at most: the DHT stores nothing else.`,
      );
    }
    if (!isSigned(item, this.#options.signatures)) {
      throw badVersion("The signature is not that of the key for this value and sequence number.");
    }
    const named = decodePointer(value);
    if (!named || !isNamed(named, infohashes)) {
      throw badVersion("The value names another torrent, or none (BEP 46).");
    }
  }

  async #refuseTooMany(torrentId: string): Promise<void> {
    const { versions } = this.#options;
    if ((await versions.listOf(torrentId)).length >= PUBLICATIONS_OF_ONE_MAX) {
      const message = `This torrent is a version of ${PUBLICATIONS_OF_ONE_MAX} publications already.`;
      throw new PublishError("too-many-versions", message);
    }
    if ((await versions.countKept()) >= KEPT_VERSIONS_MAX) {
      const message = `This hub keeps ${KEPT_VERSIONS_MAX} publications in the DHT, and no more.`;
      throw new PublishError("too-many-versions", message);
    }
  }

  async #describe(row: TorrentVersionRow): Promise<TorrentVersion> {
    const { versions, torrents, keeper: keeperNow } = this.#options;
    const place = { publicKey: row.public_key, salt: row.salt };
    const newest = await versions.findNewest(row);
    const { sequence } = row;
    const link = formatMagnet({ publication: place });
    const base = { place, link, sequence, storedMs: undefined, nodes: 0, newerId: undefined };
    if (newest && newest.sequence > sequence) {
      const newer = await torrents.find(newest.torrent_id);
      return { ...base, state: "older", newerId: newer?.id };
    }
    const keeper = keeperNow();
    if (!keeper) return { ...base, state: "off" };
    const status = keeper.statusOf(place);
    const { storedMs, nodes = 0 } = status ?? {};
    if (status?.newer !== undefined) return { ...base, state: "older" };
    return { ...base, state: storedMs === undefined ? "waits" : "kept", storedMs, nodes };
  }

  async #alone(task: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

/** Tells whether an item of BEP 46 names this torrent: others cut the infohash of a v2 torrent to 20 bytes. */
function isNamed(named: Infohashes, infohashes: Infohashes): boolean {
  if (named.v2 && !(infohashes.v2 && equalBytes(named.v2, infohashes.v2))) return false;
  const { v1 } = named;
  return !v1 || wireInfohashes(infohashes).some((wire) => equalBytes(wire, v1));
}

/** @throws {PublishError} `older-version`, unless it is newer, or the same once more. */
function refuseOlder(row: TorrentVersionRow, newest: TorrentVersionRow): void {
  if (row.sequence > newest.sequence) return;
  const isSame = row.sequence === newest.sequence && equalBytes(row.value, newest.value);
  if (isSame) return;
  throw new PublishError(
    "older-version",
    `The newest version of this publication has the sequence number ${newest.sequence}, and this one ${row.sequence}.`,
  );
}

function badVersion(detail: string): PublishError {
  return new PublishError("bad-version", detail);
}

function rowOf(torrentId: string, item: MutableItem): TorrentVersionRow {
  const { publicKey, salt, sequence, value, signature } = item;
  return { torrent_id: torrentId, public_key: publicKey, salt, sequence, value, signature };
}

function itemOf(row: TorrentVersionRow): MutableItem {
  const { public_key: publicKey, salt, sequence, value, signature } = row;
  return { kind: "mutable", publicKey, salt, sequence, value, signature };
}
