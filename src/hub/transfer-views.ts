import { toHex } from "../base/bytes.ts";
import { isoTime } from "../base/iso-time.ts";
import type {
  TransferFilesView,
  TransferLogView,
  TransferPeersView,
  TransferPiecesView,
  TransferSettingsView,
  TransferTrackersView,
  TransferView,
} from "../api/transfers.ts";
import type { PieceMap } from "../transfers/piece-map.ts";
import { ratioOf, type Transfer } from "../transfers/transfer.ts";
import type {
  TransferFile,
  TransferPeers,
  TransferTrackers,
} from "../transfers/transfer-details.ts";
import type { JournalLine } from "../transfers/transfer-journal.ts";
import type { TransferSettings } from "../transfers/transfer-settings.ts";
import { causeInWords, reasonOf } from "../transfers/transfer-state.ts";
import { peerEntry } from "./views.ts";

/** A transfer in the shape of `api/`. */
export function transferView(transfer: Transfer): TransferView {
  const { infohashes, state, size, done, choices, finishedAtMs } = transfer;
  const { downBytesPerSecond: down, upBytesPerSecond: up } = transfer;
  const { shareLimits, downBytesPerSecond: downLimit = 0, upBytesPerSecond: upLimit = 0 } = choices;
  const { sequential = false, firstAndLast = false } = choices;
  const ratio = ratioOf(transfer);
  return {
    id: transfer.id,
    infohashV1: infohashes.v1 ? toHex(infohashes.v1) : null,
    infohashV2: infohashes.v2 ? toHex(infohashes.v2) : null,
    name: transfer.name,
    state: state.kind === "renaming" ? "moving" : state.kind,
    cause: causeInWords(state) ?? null,
    reason: reasonOf(state) ?? null,
    percent: percentOf(done, size),
    checkedPercent: "part" in state ? Math.floor(state.part * 1_000) / 10 : null,
    size: size ?? null,
    done,
    down: Math.round(down),
    up: Math.round(up),
    downloaded: transfer.downloaded,
    uploaded: transfer.uploaded,
    ratio: ratio === undefined ? null : Math.round(ratio * 1_000) / 1_000,
    peers: transfer.peers,
    seeds: transfer.seeds,
    knownPeers: transfer.knownPeers,
    eta: size === undefined || down < 1 || done >= size ? null : Math.ceil((size - done) / down),
    label: transfer.label ?? null,
    position: transfer.position,
    folder: transfer.root,
    private: transfer.private,
    downLimit,
    upLimit,
    shareLimits: shareLimits ?? null,
    sequential,
    firstAndLast,
    seededSeconds: Math.floor(transfer.seededMs / 1_000),
    addedAt: isoTime(transfer.addedAtMs),
    finishedAt: finishedAtMs === undefined ? null : isoTime(finishedAtMs),
    activeAt: isoTime(transfer.activeAtMs),
  };
}

/** With one decimal, rounded down: 100 means that nothing is missing. */
function percentOf(done: number, size: number | undefined): number | null {
  if (size === undefined) return null;
  return size === 0 ? 100 : Math.floor((done * 1_000) / size) / 10;
}

export function transferFilesView(files: readonly TransferFile[]): TransferFilesView {
  return {
    files: files.map(({ index, path, length, done, priority }) => ({
      index,
      path: path.join("/"),
      length,
      done,
      priority,
    })),
  };
}

export function transferPiecesView(map: PieceMap): TransferPiecesView {
  const { have, rarest, started, copies, ...rest } = map;
  return {
    ...rest,
    have: have ? have.bytes.toBase64() : null,
    started: [...started],
    copies: [...copies],
    rarest: rarest ? { ...rarest } : null,
  };
}

export function transferLogView(lines: readonly JournalLine[]): TransferLogView {
  return { lines: lines.map(({ atMs, ...line }) => ({ at: isoTime(atMs), ...line })) };
}

export function transferPeersView({ peers, pieceCount }: TransferPeers): TransferPeersView {
  return {
    peers: peers.map((peer) => ({
      ...peerEntry(peer, pieceCount),
      amChoking: peer.amChoking,
      amInterested: peer.amInterested,
      peerChoking: peer.peerChoking,
      peerInterested: peer.peerInterested,
    })),
  };
}

export function transferSettingsView(settings: TransferSettings): TransferSettingsView {
  const { shareLimits, rates, alternative, labels, watchFolders, ...rest } = settings;
  return {
    ...rest,
    shareLimits: { ...shareLimits },
    rates: { ...rates },
    alternative: {
      ...alternative,
      spans: alternative.spans.map((span) => ({ ...span, days: [...span.days] })),
    },
    labels: { ...labels },
    watchFolders: [...watchFolders],
  };
}

export function transferTrackersView({ tiers, status }: TransferTrackers): TransferTrackersView {
  return {
    tiers: tiers.map((tier) => [...tier]),
    trackers: status.map((tracker) => ({
      name: tracker.name,
      tier: tracker.tier,
      state: tracker.state,
      message: tracker.message ?? null,
      nextAnnounceSeconds:
        tracker.nextAnnounceInMs === undefined
          ? null
          : Math.round(tracker.nextAnnounceInMs / 1_000),
      seeds: tracker.seeds ?? null,
      leechers: tracker.leechers ?? null,
      peersGiven: tracker.peersGiven,
    })),
  };
}
