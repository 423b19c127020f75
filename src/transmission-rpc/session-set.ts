import type { TransferSettings, TransferSettingsChange } from "../transfers/transfer-settings.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";
import type { SessionMemory } from "./rpc-memory.ts";
import type { NodeWays } from "./rpc-node.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { daysOf, type MutableFields, mutableFields, type SessionState } from "./session-fields.ts";
import { absoluteFolder } from "./torrent-actions.ts";
import { bytesOfLimit, ratioOfLimit, SPEED_MAX } from "./units.ts";

const MINUTES_OF_DAY = 1_440;
const EVERY_DAY = 127;
const MINUTES_MAX = 10_000_000;
const RATIO_MAX = 1_000_000;
const QUEUE_MAX = 10_000;
const CONNECTIONS = { min: 4, max: 50_000 } as const;

/** What Transmission can change and this node cannot, with where it is changed, or why not. */
const NOT_HERE: Partial<Record<keyof MutableFields, string>> = {
  "blocklist-enabled": 'Lists of addresses are files: the key "engine.ipFilters" names them.',
  "blocklist-url": 'Lists of addresses are files: the key "engine.ipFilters" names them.',
  "cache-size-mb":
    'The key "limits.memoryBytesMax" in the configuration file says how much memory.',
  "default-trackers": "Trackers are added to a torrent, not to all of them.",
  "incomplete-dir": "Unfinished files are in the folder of their torrent, under names that say so.",
  "incomplete-dir-enabled":
    "Unfinished files are in the folder of their torrent, under names that say so.",
  "peer-limit-per-torrent": "The limit of peers for one torrent is fixed.",
  "peer-port": 'The key "engine.port" in the configuration file names the port.',
  "peer-port-random-on-start": 'The key "engine.port" in the configuration file names the port.',
  "queue-stalled-enabled": "A download for which nothing arrives never keeps others waiting.",
  "queue-stalled-minutes": "A download for which nothing arrives never keeps others waiting.",
  "rename-partial-files": "Unfinished files always have names that say so.",
  "script-torrent-added-enabled": "Programs are not chosen over the network.",
  "script-torrent-added-filename": "Programs are not chosen over the network.",
  "script-torrent-done-enabled": "Programs are not chosen over the network.",
  "script-torrent-done-filename": "Programs are not chosen over the network.",
  "script-torrent-done-seeding-enabled": "Programs are not chosen over the network.",
  "script-torrent-done-seeding-filename": "Programs are not chosen over the network.",
  "seed-queue-enabled": "Seeds need no queue: those that nobody asks for sleep.",
  "seed-queue-size": "Seeds need no queue: those that nobody asks for sleep.",
  "trash-original-torrent-files": "The .torrent files of others are never touched.",
};

/**
 * Answers `session-set`. Fields that keep their value are fine, because programs send all of them; unknown ones mean
 * nothing. What cannot be changed is refused, and then nothing is.
 */
export async function setSession(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const { transfers, node, memory } = parts;
  const state = {
    settings: transfers.settings,
    ways: node.ways(),
    memory: await memory.session(),
  };
  const before = mutableFields(parts, state);
  const asked = changesIn(args, before);
  for (const key of Object.keys(asked) as (keyof MutableFields)[]) {
    const why = NOT_HERE[key];
    if (why !== undefined) throw notHere(`"${key}" cannot be changed here. ${why}`);
  }
  const settings = settingsChange(state, { ...before, ...asked }, asked);
  const ways = waysChange(asked);
  const { folder } = settings;
  if (folder !== undefined && !(await node.space(folder))) {
    throw new RpcError("bad-request", `There is no folder ${folder}.`);
  }
  if (Object.keys(ways).length > 0) {
    const refusal = await node.changeWays(ways);
    if (refusal !== undefined) throw notHere(refusal);
  }
  if (Object.keys(settings).length > 0) await transfers.setSettings(settings);
  await memory.remember(remembered(asked));
  return "{}";
}

/** The fields that are given with another value than they have, each checked. */
function changesIn(args: RpcArguments, before: MutableFields): Partial<MutableFields> {
  const changes: Partial<Record<keyof MutableFields, unknown>> = {};
  for (const key of Object.keys(before) as (keyof MutableFields)[]) {
    const value = read(args, key, before[key]);
    if (value !== undefined && value !== before[key]) changes[key] = value;
  }
  return changes as Partial<MutableFields>;
}

function read(
  args: RpcArguments,
  key: keyof MutableFields,
  before: boolean | number | string,
): boolean | number | string | undefined {
  if (typeof before === "boolean") return args.boolean(key);
  switch (key) {
    case "alt-speed-down":
    case "alt-speed-up":
    case "speed-limit-down":
    case "speed-limit-up":
      return args.integer(key, 0, SPEED_MAX);
    case "alt-speed-time-begin":
    case "alt-speed-time-end":
      return args.integer(key, 0, MINUTES_OF_DAY);
    case "alt-speed-time-day":
      return args.integer(key, 0, EVERY_DAY);
    case "download-queue-size":
      return args.integer(key, 1, QUEUE_MAX);
    case "idle-seeding-limit":
      return args.integer(key, 0, MINUTES_MAX);
    case "peer-limit-global":
      return args.integer(key, CONNECTIONS.min, CONNECTIONS.max);
    case "seedRatioLimit":
      return args.number(key, 0, RATIO_MAX);
    case "download-dir":
      return absoluteFolder(args, key);
    case "encryption":
      return encryptionIn(args.text(key), before as string);
    default:
      return typeof before === "number"
        ? args.integer(key, Number.MIN_SAFE_INTEGER)
        : args.text(key);
  }
}

function encryptionIn(text: string | undefined, before: string): string | undefined {
  if (text === undefined || text === "required" || text === "preferred" || text === before) {
    return text;
  }
  if (text !== "tolerated") {
    throw new RpcError("bad-request", '"encryption" takes required, preferred or tolerated.');
  }
  throw notHere('Encryption is "required" or "preferred" here.');
}

function settingsChange(
  { settings }: SessionState,
  after: MutableFields,
  asked: Partial<MutableFields>,
): TransferSettingsChange {
  const { rates, alternative, shareLimits } = settings;
  const names = (...keys: (keyof MutableFields)[]): boolean => keys.some((key) => key in asked);
  const limit = (isOn: boolean, kilobytes: number): number => (isOn ? bytesOfLimit(kilobytes) : 0);
  const down = names("speed-limit-down", "speed-limit-down-enabled")
    ? limit(after["speed-limit-down-enabled"], after["speed-limit-down"])
    : rates.down;
  const up = names("speed-limit-up", "speed-limit-up-enabled")
    ? limit(after["speed-limit-up-enabled"], after["speed-limit-up"])
    : rates.up;
  const change: { -readonly [Key in keyof TransferSettings]?: TransferSettings[Key] } = {};
  if (down !== rates.down || up !== rates.up) change.rates = { down, up };
  if (Object.keys(asked).some((key) => key.startsWith("alt-speed-"))) {
    const altDown = asked["alt-speed-down"];
    const altUp = asked["alt-speed-up"];
    change.alternative = {
      on: after["alt-speed-enabled"],
      down: altDown === undefined ? alternative.down : bytesOfLimit(altDown),
      up: altUp === undefined ? alternative.up : bytesOfLimit(altUp),
      spans: Object.keys(asked).some((key) => key.startsWith("alt-speed-time-"))
        ? spansAfter(after)
        : alternative.spans,
    };
  }
  if (
    names("seedRatioLimit", "seedRatioLimited", "idle-seeding-limit", "idle-seeding-limit-enabled")
  ) {
    const { seedRatioLimited, seedRatioLimit } = after;
    const isIdleLimited = after["idle-seeding-limit-enabled"];
    change.shareLimits = {
      ...shareLimits,
      ratio: seedRatioLimited ? ratioOfLimit(seedRatioLimit) : 0,
      idleMinutes: isIdleLimited ? Math.max(1, after["idle-seeding-limit"]) : 0,
    };
  }
  if (names("download-queue-size", "download-queue-enabled")) {
    change.downloadsMax = after["download-queue-enabled"] ? after["download-queue-size"] : 0;
  }
  if (names("download-dir")) change.folder = after["download-dir"];
  return change;
}

function spansAfter(after: MutableFields): TransferSettings["alternative"]["spans"] {
  const days = daysOf(after["alt-speed-time-day"]);
  if (!after["alt-speed-time-enabled"] || days.length === 0) return [];
  return [{ days, begin: after["alt-speed-time-begin"], end: after["alt-speed-time-end"] }];
}

function waysChange(asked: Partial<MutableFields>): Partial<NodeWays> {
  const names: readonly (readonly [keyof MutableFields, keyof NodeWays])[] = [
    ["dht-enabled", "dht"],
    ["lpd-enabled", "lsd"],
    ["pex-enabled", "pex"],
    ["utp-enabled", "utp"],
    ["port-forwarding-enabled", "portForwarding"],
    ["encryption", "encryption"],
    ["peer-limit-global", "connectionsMax"],
  ];
  const given = names.filter(([name]) => name in asked);
  return Object.fromEntries(given.map(([name, way]) => [way, asked[name]]));
}

const REMEMBERED: readonly (keyof SessionMemory)[] = [
  "speed-limit-down",
  "speed-limit-up",
  "alt-speed-time-begin",
  "alt-speed-time-end",
  "alt-speed-time-day",
  "seedRatioLimit",
  "idle-seeding-limit",
  "download-queue-size",
  "start-added-torrents",
];

function remembered(asked: Partial<MutableFields>): SessionMemory {
  const given = REMEMBERED.filter((key) => key in asked);
  return Object.fromEntries(given.map((key) => [key, asked[key]]));
}
