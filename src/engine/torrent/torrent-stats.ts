import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Slowness, TorrentState, TorrentStats } from "../session-contract.ts";
import { slownessOf } from "./slowness.ts";
import type { TorrentPeers } from "./torrent-peers.ts";
import type { TorrentTraffic } from "./torrent-traffic.ts";
import type { Transfer } from "./transfer.ts";

/** What we report to trackers as left while nobody knows: a block, because 0 would make us a seed. */
const UNKNOWN_LEFT = BLOCK_BYTES;

export interface CountedParts {
  readonly state: TorrentState;
  readonly traffic: TorrentTraffic;
  readonly connections: TorrentPeers;
  /** `undefined` until the files are open. */
  readonly transfer: Transfer | undefined;
  /** `undefined` until it is known. */
  readonly info: TorrentInfo | undefined;
}

/** Adds up what the parts of a torrent know. */
export function statsOf(parts: CountedParts, now: number): TorrentStats {
  const { download, webSeeds } = parts.transfer ?? {};
  const length = parts.info?.geometry.dataLength;
  return {
    ...parts.traffic.stats(now),
    ...parts.connections.swarm.stats(),
    wantedBytes: download?.progress.wantedBytes ?? length ?? 0,
    doneBytes: download?.progress.doneBytes ?? 0,
    left: download?.progress.left ?? length ?? UNKNOWN_LEFT,
    rarestCopies: Math.max(0, (download?.rarestCopies ?? 0) - (webSeeds?.doubles ?? 0)),
    webSeeds: webSeeds?.connected ?? 0,
    slowness: slownessIn(parts, now),
  };
}

function slownessIn(parts: CountedParts, now: number): Slowness | undefined {
  const { state, connections, traffic, transfer } = parts;
  switch (state.kind) {
    case "waiting":
      return "disk";
    case "fetching-metadata":
    case "downloading":
      break;
    default:
      return undefined;
  }
  return slownessOf(
    {
      stats: connections.swarm.stats(),
      webSeeds: transfer?.webSeeds?.connected ?? 0,
      isInfoKnown: state.kind === "downloading",
      peers: connections.swarm.open(),
      limitedAtMs: traffic.shares.down.heldAtMs,
      diskAtMs: traffic.shares.receive.heldAtMs,
    },
    now,
  );
}
