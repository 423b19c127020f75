import type { RateSpan, TransferSettings } from "../transfers/transfer-settings.ts";
import type { NodeWays } from "./rpc-node.ts";
import type { RpcParts } from "./rpc-parts.ts";
import type { SessionMemory } from "./rpc-memory.ts";
import { kilobytes, UNITS } from "./units.ts";

/** What Transmission 4.0 calls its protocol. */
const RPC_VERSION = 17;
const RPC_VERSION_MINIMUM = 14;
const RPC_VERSION_SEMVER = "5.3.0";
/** Programs read it to know what they may send; what we are stands behind it. */
const AS_VERSION = "4.0.6";

const MEBIBYTE = 1024 * 1024;
/** Minutes without a byte, after which a download keeps no other waiting. */
const STALLED_MINUTES = 1;

/** What the fields of a session are made of. */
export interface SessionState {
  readonly settings: TransferSettings;
  readonly ways: NodeWays;
  readonly memory: SessionMemory;
}

/** The span of the week in which the alternative rates hold, as one span of Transmission. */
function altTime({ settings, memory }: SessionState) {
  const [span] = settings.alternative.spans;
  return {
    "alt-speed-time-enabled": span !== undefined,
    "alt-speed-time-begin": span?.begin ?? memory["alt-speed-time-begin"] ?? 540,
    "alt-speed-time-end": span?.end ?? memory["alt-speed-time-end"] ?? 1_020,
    "alt-speed-time-day": span ? daysNumber(span) : (memory["alt-speed-time-day"] ?? 127),
  };
}

/** A bit for each day; Sunday is the first. */
function daysNumber({ days }: RateSpan): number {
  return days.reduce((bits, day) => bits | (1 << day), 0);
}

/** @returns 0 is Sunday. */
export function daysOf(bits: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6].filter((day) => (bits & (1 << day)) !== 0);
}

/** The fields that `session-set` may change. */
export function mutableFields(parts: RpcParts, state: SessionState) {
  const { node, transfers } = parts;
  const { settings, ways, memory } = state;
  const { alternative, rates, shareLimits, downloadsMax } = settings;
  const { ratio = 0, idleMinutes = 0 } = shareLimits;
  return {
    "alt-speed-down": kilobytes(alternative.down),
    "alt-speed-enabled": alternative.on,
    "alt-speed-up": kilobytes(alternative.up),
    ...altTime(state),
    "blocklist-enabled": node.filterLists > 0,
    "blocklist-url": "",
    "cache-size-mb": Math.round(node.memoryBytes / MEBIBYTE),
    "default-trackers": "",
    "dht-enabled": ways.dht,
    "download-dir": transfers.downloadFolder,
    "download-queue-enabled": downloadsMax > 0,
    "download-queue-size": downloadsMax || (memory["download-queue-size"] ?? 5),
    encryption: ways.encryption,
    "idle-seeding-limit": idleMinutes || (memory["idle-seeding-limit"] ?? 30),
    "idle-seeding-limit-enabled": idleMinutes > 0,
    "incomplete-dir": transfers.downloadFolder,
    "incomplete-dir-enabled": false,
    "lpd-enabled": ways.lsd,
    "peer-limit-global": ways.connectionsMax,
    "peer-limit-per-torrent": node.connectionsPerTorrentMax,
    "peer-port": node.peerPort(),
    "peer-port-random-on-start": false,
    "pex-enabled": ways.pex,
    "port-forwarding-enabled": ways.portForwarding,
    "queue-stalled-enabled": true,
    "queue-stalled-minutes": STALLED_MINUTES,
    "rename-partial-files": true,
    "script-torrent-added-enabled": false,
    "script-torrent-added-filename": "",
    "script-torrent-done-enabled": false,
    "script-torrent-done-filename": "",
    "script-torrent-done-seeding-enabled": false,
    "script-torrent-done-seeding-filename": "",
    "seed-queue-enabled": false,
    "seed-queue-size": 0,
    seedRatioLimit: ratio || (memory.seedRatioLimit ?? 2),
    seedRatioLimited: ratio > 0,
    "speed-limit-down": rates.down > 0 ? kilobytes(rates.down) : (memory["speed-limit-down"] ?? 0),
    "speed-limit-down-enabled": rates.down > 0,
    "speed-limit-up": rates.up > 0 ? kilobytes(rates.up) : (memory["speed-limit-up"] ?? 0),
    "speed-limit-up-enabled": rates.up > 0,
    "start-added-torrents": memory["start-added-torrents"] ?? true,
    "trash-original-torrent-files": false,
    "utp-enabled": ways.utp,
  };
}

export type MutableFields = ReturnType<typeof mutableFields>;

/** The fields that nobody changes. */
export async function fixedFields({ node, sessionId, transfers }: RpcParts) {
  const space = await node.space(transfers.downloadFolder);
  return {
    "blocklist-size": 0,
    "config-dir": node.stateFolder,
    "download-dir-free-space": space?.free ?? -1,
    "rpc-version": RPC_VERSION,
    "rpc-version-minimum": RPC_VERSION_MINIMUM,
    "rpc-version-semver": RPC_VERSION_SEMVER,
    "session-id": sessionId,
    units: UNITS,
    version: `${AS_VERSION} (Everseed ${node.version})`,
  };
}
