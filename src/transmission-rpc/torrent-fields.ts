import { formatMagnet } from "../metainfo/magnet.ts";
import type {
  TransferAbout,
  TransferFile,
  TransferPeers,
  TransferTrackers,
} from "../transfers/transfer-details.ts";
import type { ShareLimits } from "../transfers/transfer-choices.ts";
import { ratioOf, type Transfer } from "../transfers/transfer.ts";
import { filePriorityNumber, isWanted } from "./file-priorities.ts";
import { limitFields } from "./limit-fields.ts";
import { getsFromUs, peersField, peersFromField, sendsToUs } from "./peer-fields.ts";
import type { TransferMemory } from "./rpc-memory.ts";
import type { TorrentFacts } from "./torrent-facts.ts";
import { errorOf, etaOf, isAwake, isFinished, statusOf } from "./torrent-status.ts";
import {
  trackerListField,
  trackersField,
  trackerStatsField,
  trackerTrouble,
} from "./tracker-fields.ts";
import { seconds } from "./units.ts";

/** What a field is made of beside the transfer itself. Each costs something, so only what is asked for is fetched. */
export interface TorrentParts {
  readonly peers: TransferPeers;
  readonly trackers: TransferTrackers;
  readonly files: readonly TransferFile[];
  readonly about: TransferAbout;
  readonly facts: TorrentFacts;
  readonly rank: number;
}

export type TorrentPart = keyof TorrentParts;

/** A transfer with the parts that the asked fields need. */
export interface AskedTorrent extends TorrentParts {
  readonly transfer: Transfer;
  readonly memory: TransferMemory;
  /** That hold for it. */
  readonly shareLimits: ShareLimits;
  readonly connectionsMax: number;
  readonly wallMs: number;
}

export interface TorrentField {
  readonly needs: readonly TorrentPart[];
  readonly of: (torrent: AskedTorrent) => unknown;
}

function plain(of: (transfer: Transfer, torrent: AskedTorrent) => unknown): TorrentField {
  return { needs: [], of: (torrent) => of(torrent.transfer, torrent) };
}

function from<Part extends TorrentPart>(
  part: Part,
  of: (part: TorrentParts[Part], torrent: AskedTorrent) => unknown,
): TorrentField {
  return { needs: [part], of: (torrent) => of(torrent[part], torrent) };
}

function limit(name: keyof ReturnType<typeof limitFields>): TorrentField {
  return plain((transfer, { memory }) => limitFields(transfer, memory)[name]);
}

function error(name: "error" | "errorString"): TorrentField {
  return from(
    "trackers",
    (trackers, { transfer }) =>
      errorOf(transfer, isAwake(transfer) ? trackerTrouble(trackers) : undefined)[name],
  );
}

function left({ size = 0, done }: Transfer): number {
  return Math.max(0, size - done);
}

function part(done: number, size: number | undefined): number {
  if (size === undefined) return 0;
  return size === 0 ? 1 : Math.min(1, done / size);
}

/**
 * The fields of `torrent-get`. What this node does not measure has Transmission's own value for nothing: 0 bytes, no time,
 * -1 for a number nobody knows.
 */
export const TORRENT_FIELDS: ReadonlyMap<string, TorrentField> = new Map([
  ["activityDate", plain(({ activeAtMs }) => seconds(activeAtMs))],
  ["addedDate", plain(({ addedAtMs }) => seconds(addedAtMs))],
  ["availability", from("about", availability)],
  ["bandwidthPriority", plain(() => 0)],
  ["comment", from("about", ({ metainfo }) => metainfo?.comment ?? "")],
  // Pieces that turn out wrong are fetched again; their bytes are not counted.
  ["corruptEver", plain(() => 0)],
  ["creator", from("about", ({ metainfo }) => metainfo?.createdBy ?? "")],
  ["dateCreated", from("about", ({ metainfo }) => metainfo?.creationDate ?? 0)],
  ["desiredAvailable", from("about", desiredAvailable)],
  ["doneDate", plain(({ finishedAtMs }) => seconds(finishedAtMs))],
  ["downloadDir", plain(({ root }) => root)],
  ["downloadedEver", plain(({ downloaded }) => downloaded)],
  ["downloadLimit", limit("downloadLimit")],
  ["downloadLimited", limit("downloadLimited")],
  ["editDate", plain(() => 0)],
  ["error", error("error")],
  ["errorString", error("errorString")],
  ["eta", plain((transfer, { shareLimits }) => etaOf(transfer, shareLimits))],
  ["etaIdle", plain(() => -1)],
  ["file-count", from("facts", ({ fileCount }) => fileCount)],
  [
    "files",
    from("files", (files) =>
      files.map(({ path, length, done }) => ({
        bytesCompleted: done,
        length,
        name: path.join("/"),
      })),
    ),
  ],
  [
    "fileStats",
    from("files", (files) =>
      files.map((file) => ({
        bytesCompleted: file.done,
        wanted: isWanted(file),
        priority: filePriorityNumber(file),
      })),
    ),
  ],
  ["group", plain(() => "")],
  ["hashString", plain(({ id }) => id)],
  ["haveUnchecked", plain(() => 0)],
  ["haveValid", plain(({ done }) => done)],
  ["honorsSessionLimits", plain(() => true)],
  ["id", plain(({ seq }) => seq)],
  ["isFinished", plain(isFinished)],
  ["isPrivate", plain((transfer) => transfer.private)],
  ["isStalled", plain(({ state }) => state.kind === "stalled")],
  ["labels", plain(({ label }) => (label === undefined ? [] : [label]))],
  ["leftUntilDone", plain(left)],
  ["magnetLink", from("trackers", magnetLink)],
  // It may be asked for at any time while it runs.
  [
    "manualAnnounceTime",
    plain((transfer, { wallMs }) => (isAwake(transfer) ? seconds(wallMs) : -1)),
  ],
  ["maxConnectedPeers", plain((_, { connectionsMax }) => connectionsMax)],
  ["metadataPercentComplete", plain(({ size }) => (size === undefined ? 0 : 1))],
  ["name", plain(({ name }) => name)],
  ["peer-limit", plain((_, { connectionsMax }) => connectionsMax)],
  ["peers", from("peers", peersField)],
  ["peersConnected", plain(({ peers }) => peers)],
  ["peersFrom", from("peers", ({ peers }) => peersFromField(peers))],
  ["peersGettingFromUs", from("peers", ({ peers }) => peers.filter(getsFromUs).length)],
  ["peersSendingToUs", from("peers", ({ peers }) => peers.filter(sendsToUs).length)],
  [
    "percentComplete",
    from("facts", ({ size }, { transfer }) => part(transfer.done, size || transfer.size)),
  ],
  ["percentDone", plain(({ done, size }) => part(done, size))],
  ["pieces", from("about", ({ have }) => (have ? have.bytes.toBase64() : ""))],
  ["pieceCount", from("facts", ({ pieceCount }) => pieceCount)],
  ["pieceSize", from("facts", ({ pieceSize }) => pieceSize)],
  ["primary-mime-type", from("facts", ({ mimeType }) => mimeType)],
  ["priorities", from("files", (files) => files.map(filePriorityNumber))],
  ["queuePosition", from("rank", (rank) => rank)],
  ["rateDownload", plain(({ downBytesPerSecond }) => Math.round(downBytesPerSecond))],
  ["rateUpload", plain(({ upBytesPerSecond }) => Math.round(upBytesPerSecond))],
  ["recheckProgress", plain(({ state }) => ("part" in state ? state.part : 0))],
  ["secondsDownloading", plain(secondsDownloading)],
  ["secondsSeeding", plain(({ seededMs }) => Math.floor(seededMs / 1_000))],
  ["seedIdleLimit", limit("seedIdleLimit")],
  ["seedIdleMode", limit("seedIdleMode")],
  ["seedRatioLimit", limit("seedRatioLimit")],
  ["seedRatioMode", limit("seedRatioMode")],
  ["sizeWhenDone", plain(({ size = 0 }) => size)],
  ["source", plain(() => "")],
  ["startDate", plain(() => 0)],
  ["status", plain(statusOf)],
  ["torrentFile", from("about", ({ torrentFile }) => torrentFile)],
  ["totalSize", from("facts", ({ size }) => size)],
  ["trackerList", from("trackers", trackerListField)],
  ["trackers", from("trackers", trackersField)],
  ["trackerStats", from("trackers", (trackers, { wallMs }) => trackerStatsField(trackers, wallMs))],
  ["uploadedEver", plain(({ uploaded }) => uploaded)],
  ["uploadLimit", limit("uploadLimit")],
  ["uploadLimited", limit("uploadLimited")],
  ["uploadRatio", plain((transfer) => ratioOf(transfer) ?? -1)],
  // 0 and 1, as all versions but two write them.
  ["wanted", from("files", (files) => files.map((file) => (isWanted(file) ? 1 : 0)))],
  ["webseeds", from("about", ({ metainfo }) => metainfo?.webSeeds ?? [])],
  ["webseedsSendingToUs", from("about", ({ webSeedsSending }) => webSeedsSending)],
]);

/** For each piece the peers that have it; -1 for those that are here. */
function availability({ have, copies, info }: TransferAbout): number[] {
  const count = info?.geometry.pieceCount ?? 0;
  return Array.from({ length: count }, (_, index) =>
    have?.has(index) === true ? -1 : (copies?.[index] ?? 0),
  );
}

/** Missing bytes that some connected peer has: of the pieces, which may lie in several files. */
function desiredAvailable(
  { have, copies, info }: TransferAbout,
  { transfer }: AskedTorrent,
): number {
  if (!info || !copies) return 0;
  const { pieceLength, pieceCount } = info.geometry;
  let pieces = 0;
  for (let index = 0; index < pieceCount; index += 1) {
    if (have?.has(index) !== true && copies[index]! > 0) pieces += 1;
  }
  return Math.min(left(transfer), pieces * pieceLength);
}

/** From adding to the end, pauses included: nothing else is kept. */
function secondsDownloading(
  { addedAtMs, finishedAtMs }: Transfer,
  { wallMs }: AskedTorrent,
): number {
  return Math.max(0, Math.floor(((finishedAtMs ?? wallMs) - addedAtMs) / 1_000));
}

function magnetLink({ tiers }: TransferTrackers, { transfer }: AskedTorrent): string {
  const { infohashes, name } = transfer;
  return formatMagnet({ infohashes, name, trackers: tiers.flat() });
}
