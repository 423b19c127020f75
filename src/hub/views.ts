import { toHex } from "../base/bytes.ts";
import { wireInfohashes } from "../base/infohash.ts";
import { addressKey } from "../base/peer-address.ts";
import { isoTime } from "../base/iso-time.ts";
import type { SessionEntry, Token, User } from "../api/accounts.ts";
import type { Draft as DraftView } from "../api/drafts.ts";
import type { FetchView } from "../api/fetches.ts";
import type { PeerEntry, PeerList } from "../api/peers.ts";
import { PIECE_CELLS_MAX, type PieceStrip } from "../api/pages.ts";
import {
  downloadPath,
  torrentFilePath,
  torrentPagePath,
  uploadPath,
  webSeedPath,
} from "../api/paths.ts";
import {
  FILES_PER_PAGE,
  type Removal as RemovalView,
  type SwarmFigures,
  type TorrentDetail,
  type TorrentFileEntry,
  TORRENTS_PER_PAGE,
  type TorrentList,
  type TorrentSummary,
} from "../api/torrents.ts";
import type { TorrentVersion as TorrentVersionView } from "../api/versions.ts";
import type { SessionFacts, TokenFacts } from "../accounts/accounts.ts";
import type { Actor } from "../accounts/permissions.ts";
import { type HubAddresses, type Listing, magnetOf, trackersOf } from "../publish/catalogue.ts";
import { damagedFiles, lackingPieces } from "../publish/damaged-files.ts";
import type { ListedFile } from "../publish/file-list.ts";
import { pieceCells } from "../publish/piece-cells.ts";
import type { Fetch } from "../publish/fetch-state.ts";
import type { EverseedPeers } from "../publish/everseed.ts";
import type { Removal } from "../publish/publications.ts";
import type { Draft } from "../publish/publisher.ts";
import type { Workers } from "../publish/turns.ts";
import type { HubParts } from "./hub-parts.ts";

/**
 * Turns what the rooms know into the shapes of `api/`. One object for each request, because links follow its origin.
 */
export class Views {
  readonly #parts: HubParts;
  readonly #origin: string;
  readonly #workers: Workers;

  /** @param request.work - Pays for work that grows with a torrent. */
  constructor(parts: HubParts, request: { readonly origin: string; readonly work: Workers }) {
    this.#parts = parts;
    this.#origin = request.origin;
    this.#workers = request.work;
  }

  /** @param isLookedAt - Somebody looks at this torrent alone: the DHT may be asked about it. */
  figures(listing: Listing, isLookedAt: boolean): SwarmFigures {
    const { uploadBytesPerSecond, uploaded, damage } = this.#parts.everseed(listing.id);
    const { downloads } = this.#parts;
    const { seeds, leechers, completed } = this.#parts.swarms.count(listing.infohashes);
    return {
      // The tracker counts the everseed while it answers, but without all pieces it is not a seed.
      seeds: damage ? Math.max(0, seeds - 1) : seeds,
      leechers,
      completed,
      // To peers, and to people who download with a browser.
      uploadBytesPerSecond: uploadBytesPerSecond + downloads.bytesPerSecond(listing.id),
      uploaded,
      fault: damage?.words ?? null,
      dht: this.#countedInDht(listing, isLookedAt),
    };
  }

  #countedInDht(listing: Listing, isLookedAt: boolean): SwarmFigures["dht"] {
    if (listing.private) return null;
    const { dhtSwarms } = this.#parts;
    const { infohashes } = listing;
    const counted = isLookedAt ? dhtSwarms.look(infohashes) : dhtSwarms.known(infohashes);
    if (!counted) return null;
    const { seeds, leechers, atMs } = counted;
    return { seeds, leechers, countedAt: isoTime(atMs) };
  }

  /** The addresses for a torrent's readers, as the hub is reached now. */
  addresses(listing: Listing): HubAddresses {
    const { trackers, url, namesWebSeeds } = this.#parts.site;
    return { trackers, webSeeds: namesWebSeeds() ? [url + webSeedPath(listing.id)] : [] };
  }

  summary(listing: Listing, isLookedAt = false): TorrentSummary {
    const { v1, v2 } = listing.infohashes;
    return {
      id: listing.id,
      name: listing.name,
      size: listing.size,
      fileCount: listing.fileCount,
      kind: listing.kind,
      private: listing.private,
      publishedAt: isoTime(listing.publishedMs),
      publishedBy: listing.publisher ?? "somebody who left",
      infohashV1: v1 ? toHex(v1) : null,
      infohashV2: v2 ? toHex(v2) : null,
      magnet: magnetOf(listing, this.addresses(listing)),
      pageUrl: this.#origin + torrentPagePath(listing.id, listing.name),
      torrentUrl: this.#origin + torrentFilePath(listing.id),
      swarm: this.figures(listing, isLookedAt),
    };
  }

  /** Includes the first page of files. @returns `undefined` when the .torrent file is gone. */
  async detail(listing: Listing): Promise<TorrentDetail | undefined> {
    const { catalogue } = this.#parts;
    const metainfo = await catalogue.metainfo(listing.id, this.#workers);
    const files = await catalogue.files(listing.id, this.#workers);
    if (!metainfo || !files) return undefined;
    const damaged = await this.damagedFiles(listing);
    return {
      ...this.summary(listing, true),
      folder: listing.folder,
      comment: listing.comment,
      createdBy: metainfo.createdBy ?? null,
      pieceSize: listing.pieceSize,
      pieceCount: listing.pieceCount,
      trackers: trackersOf(listing, this.#parts.site.trackers),
      checkedAt: isoTime(listing.checkedMs),
      wholeFileCount: files.count - damaged.size,
      versions: await this.#versions(listing),
      files: files.slice(0, FILES_PER_PAGE).map((file) => fileEntry(listing.id, file, damaged)),
    };
  }

  async #versions(listing: Listing): Promise<TorrentVersionView[]> {
    const { versions, catalogue } = this.#parts;
    const views: TorrentVersionView[] = [];
    for (const version of await versions.listOf(listing.id)) {
      const { place, sequence, state, storedMs, nodes, newerId } = version;
      const newer = newerId === undefined ? undefined : await catalogue.find(newerId);
      views.push({
        publicKey: toHex(place.publicKey),
        salt: toHex(place.salt),
        sequence: sequence.toString(),
        link: version.link,
        state,
        storedAt: storedMs === undefined ? null : isoTime(storedMs),
        nodes,
        newerUrl: newer ? this.#origin + torrentPagePath(newer.id, newer.name) : null,
      });
    }
    return views;
  }

  /** Files that the hub knows it cannot serve as published. */
  async damagedFiles(listing: Listing): Promise<ReadonlySet<number>> {
    const metainfo = await this.#parts.catalogue.metainfo(listing.id, this.#workers);
    const { damage } = this.#parts.everseed(listing.id);
    return metainfo ? this.#workers.run(damagedFiles(metainfo.info, damage)) : new Set();
  }

  /** The copies of each piece, from the first to the last. */
  async pieceStrip(listing: Listing): Promise<PieceStrip> {
    const { catalogue, everseed, swarms } = this.#parts;
    const metainfo = await catalogue.metainfo(listing.id, this.#workers);
    if (!metainfo) return { copies: [], lacking: [], missing: 0 };
    const { damage } = everseed(listing.id);
    const partialCopies = this.#parts.partialCopies(listing.id);
    const lacking = await this.#workers.run(lackingPieces(metainfo.info, damage));
    const others = Math.max(0, swarms.count(listing.infohashes).seeds - 1);
    const { pieceCount } = listing;
    const cells = await this.#workers.run(
      pieceCells({ pieceCount, lacking, wholeCopies: others, partialCopies }, PIECE_CELLS_MAX),
    );
    return { ...cells, missing: lacking.size };
  }

  async list(query: string, page: number): Promise<TorrentList> {
    const { total, more, similar, listings } = await this.#parts.catalogue.search(
      { query, limit: TORRENTS_PER_PAGE, offset: (page - 1) * TORRENTS_PER_PAGE },
      this.#workers,
    );
    return {
      query,
      page,
      pages: Math.max(1, Math.ceil(total / TORRENTS_PER_PAGE)),
      total,
      more,
      similar,
      torrents: listings.map((listing) => this.summary(listing)),
    };
  }

  async fetch(fetch: Fetch): Promise<FetchView> {
    const { torrentId } = fetch;
    const listing = torrentId === null ? undefined : await this.#parts.catalogue.find(torrentId);
    const { id, name, state, problem, size, bytesDone, bytesPerSecond, peers } = fetch;
    const { trackerNotices, slowness } = fetch;
    return {
      id,
      name,
      infohash: toHex(fetch.infohash),
      createdAt: isoTime(fetch.createdMs),
      state,
      problem,
      size,
      bytesDone,
      bytesPerSecond,
      peers,
      slowness,
      trackerNotices,
      pageUrl: this.#origin + torrentPagePath(listing?.id ?? id, listing?.name ?? name),
      torrent: listing ? this.summary(listing) : null,
    };
  }

  /** The peers of a torrent, the fastest first. */
  peers({ id, pieceCount }: Listing): PeerList {
    const known = this.#parts.peers(id);
    const peers = (known?.peers ?? []).map((peer) => peerEntry(peer, pieceCount));
    const speed = (peer: PeerEntry) => peer.uploadBytesPerSecond + peer.downloadBytesPerSecond;
    peers.sort((a, b) => speed(b) - speed(a));
    return { cause: known?.slowness ?? null, peers };
  }

  /** The state of a fetch. */
  fetchOf(listing: Listing): FetchView {
    const { id, name, size } = listing;
    return {
      id,
      name,
      infohash: toHex(wireInfohashes(listing.infohashes)[0]!),
      createdAt: isoTime(listing.publishedMs),
      state: "published",
      problem: null,
      size,
      bytesDone: size,
      bytesPerSecond: 0,
      peers: 0,
      slowness: null,
      trackerNotices: [],
      pageUrl: this.#origin + torrentPagePath(id, name),
      torrent: this.summary(listing),
    };
  }

  async draft(draft: Draft): Promise<DraftView> {
    const listing = draft.torrentId ? await this.#parts.catalogue.find(draft.torrentId) : undefined;
    return {
      id: draft.id,
      name: draft.name,
      folder: draft.folder,
      fileCount: draft.fileCount,
      size: draft.size,
      offset: draft.offset,
      kind: draft.kind,
      pieceSize: draft.pieceSize,
      private: draft.private,
      createdAt: isoTime(draft.createdMs),
      state: draft.state,
      problem: draft.problem,
      uploadPath: uploadPath(draft.id),
      pageUrl: listing
        ? this.#origin + torrentPagePath(listing.id, listing.name)
        : this.#origin + torrentPagePath(draft.id, draft.name),
      torrent: listing ? this.summary(listing) : null,
    };
  }
}

/** @param damaged - Indexes of files that cannot be downloaded as published. */
export function fileEntry(
  torrentId: string,
  file: ListedFile,
  damaged: ReadonlySet<number>,
): TorrentFileEntry {
  const { index, path, size } = file;
  const whole = !damaged.has(index);
  return { index, path, size, downloadPath: downloadPath(torrentId, index, path), whole };
}

export function removalView(removal: Removal): RemovalView {
  const { undoUntilMs } = removal;
  return {
    id: removal.id,
    name: removal.title,
    removedBy: removal.removedBy,
    removedAt: isoTime(removal.removedMs),
    undoUntil: undoUntilMs === null ? null : isoTime(undoUntilMs),
  };
}

export function userView(actor: Actor): User | null {
  return actor.kind === "user" ? { id: actor.id, name: actor.name, role: actor.role } : null;
}

export function tokenView(token: TokenFacts): Token {
  return {
    id: token.id,
    name: token.name,
    start: token.start,
    scope: token.scope,
    createdAt: isoTime(token.createdMs),
    expiresAt: isoTime(token.expiresMs),
    lastUsedAt: token.lastUsedMs === null ? null : isoTime(token.lastUsedMs),
  };
}

export function sessionView(session: SessionFacts): SessionEntry {
  return {
    id: session.id,
    current: session.current,
    userAgent: session.userAgent,
    address: session.address,
    createdAt: isoTime(session.createdMs),
    lastSeenAt: isoTime(session.lastSeenMs),
  };
}

export function peerEntry(peer: EverseedPeers["peers"][number], pieceCount: number): PeerEntry {
  const { remote, client, encryption = "none", source, uploaded, downloaded } = peer;
  return {
    address: addressKey(remote),
    client,
    transport: remote.kind,
    encryption,
    source,
    progress: pieceCount === 0 ? 1 : Math.min(1, peer.piecesHeld / pieceCount),
    wants: peer.peerInterested,
    waits: peer.peerInterested && peer.amChoking,
    uploaded,
    downloaded,
    uploadBytesPerSecond: peer.uploadBytesPerSecond,
    downloadBytesPerSecond: peer.downloadBytesPerSecond,
  };
}
