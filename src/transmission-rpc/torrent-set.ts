import type { ShareLimits } from "../transfers/transfer-choices.ts";
import type { TransferEdit } from "../transfers/transfer-edits.ts";
import type { Transfer } from "../transfers/transfer.ts";
import { fileChoices, namesFiles } from "./file-priorities.ts";
import { labelArgument } from "./label-argument.ts";
import { LIMIT_MODE, limitFields } from "./limit-fields.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";
import type { TransferMemory } from "./rpc-memory.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { idsOf, select } from "./selection.ts";
import { absoluteFolder, forEach, moveToRank } from "./torrent-actions.ts";
import { trackerEdit } from "./tracker-edits.ts";
import { bytesOfLimit, ratioOfLimit, SPEED_MAX } from "./units.ts";

const MINUTES_MAX = 10_000_000;
const RATIO_MAX = 1_000_000;

/** Answers `torrent-set`. What cannot be carried out is refused before anything is changed. */
export async function setTorrents(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  refuseForeign(args, parts.node.connectionsPerTorrentMax);
  const { transfers, memory, recent } = parts;
  const label = labelArgument(args);
  const rank = args.integer("queuePosition", 0);
  const location = absoluteFolder(args, "location");
  limitsGiven(args);
  namesFiles(args);
  const edits = new Map<string, { edit: TransferEdit; remembered: TransferMemory }>();
  await forEach(parts, args, async (id) => {
    const transfer = await transfers.find(id);
    if (!transfer) return;
    const { limits, remembered } = limitChange(transfer, memory.of(id), args);
    const edit: TransferEdit = {
      ...limits,
      ...(label !== undefined && { label }),
      ...(namesFiles(args) && { files: await chosenFiles(parts, args, id) }),
      ...trackerEdit(await transfers.details.trackers(id), args),
      ...(location !== undefined && { root: location }),
    };
    edits.set(id, { edit, remembered });
  });
  await forEach(parts, args, async (id) => {
    const { edit = {}, remembered = {} } = edits.get(id) ?? {};
    if (Object.keys(edit).length > 0) await transfers.edit(id, edit);
    memory.rememberFor(id, remembered);
  });
  if (rank !== undefined) {
    await moveToRank(transfers, await idsOf(select(args, transfers, recent)), rank);
  }
  return "{}";
}

/** What Transmission has and this node does not. Values that say "nothing special" are fine. */
function refuseForeign(args: RpcArguments, peersMax: number): void {
  if ((args.integer("bandwidthPriority", -1, 1) ?? 0) !== 0) {
    throw notHere("Torrents share the line equally here: bandwidthPriority is always 0.");
  }
  if ((args.text("group") ?? "") !== "") throw notHere("There are no bandwidth groups here.");
  if (args.boolean("honorsSessionLimits") === false) {
    throw notHere("The limits of all transfers hold for each of them.");
  }
  if ((args.integer("peer-limit", 0) ?? peersMax) !== peersMax) {
    throw notHere(`All torrents have the same limit of peers here, which is ${peersMax}.`);
  }
}

async function chosenFiles({ transfers }: RpcParts, args: RpcArguments, id: string) {
  const files = await transfers.details.files(id);
  if (files.length === 0) throw new RpcError("bad-request", "Its files are not known yet.");
  return fileChoices(args, files, true);
}

function limitsGiven(args: RpcArguments) {
  return {
    downloadLimit: args.integer("downloadLimit", 0, SPEED_MAX),
    downloadLimited: args.boolean("downloadLimited"),
    uploadLimit: args.integer("uploadLimit", 0, SPEED_MAX),
    uploadLimited: args.boolean("uploadLimited"),
    seedRatioLimit: args.number("seedRatioLimit", 0, RATIO_MAX),
    seedRatioMode: args.integer("seedRatioMode", 0, 2),
    seedIdleLimit: args.integer("seedIdleLimit", 0, MINUTES_MAX),
    seedIdleMode: args.integer("seedIdleMode", 0, 2),
  };
}

/** The limits that hold then, and the values to remember of those that are off. */
function limitChange(
  transfer: Transfer,
  memory: TransferMemory,
  args: RpcArguments,
): {
  readonly limits: Pick<TransferEdit, "downBytesPerSecond" | "upBytesPerSecond" | "shareLimits">;
  readonly remembered: TransferMemory;
} {
  const given = limitsGiven(args);
  const before = limitFields(transfer, memory);
  const asked = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<typeof before>;
  const after = { ...before, ...asked };
  const own = transfer.choices.shareLimits;
  const { downloadLimit, uploadLimit, seedRatioLimit, seedIdleLimit } = asked;
  return {
    limits: {
      ...((given.downloadLimit ?? given.downloadLimited) !== undefined && {
        downBytesPerSecond: after.downloadLimited ? bytesOfLimit(after.downloadLimit) : 0,
      }),
      ...((given.uploadLimit ?? given.uploadLimited) !== undefined && {
        upBytesPerSecond: after.uploadLimited ? bytesOfLimit(after.uploadLimit) : 0,
      }),
      ...(["seedRatioLimit", "seedRatioMode", "seedIdleLimit", "seedIdleMode"].some(
        (key) => key in asked,
      ) && {
        shareLimits: shareLimitsAfter(own, {
          ratio: limitIn(after.seedRatioMode, ratioOfLimit(after.seedRatioLimit)),
          idleMinutes: limitIn(after.seedIdleMode, Math.max(1, after.seedIdleLimit)),
        }),
      }),
    },
    remembered: {
      ...(downloadLimit !== undefined && { downloadLimit }),
      ...(uploadLimit !== undefined && { uploadLimit }),
      ...(seedRatioLimit !== undefined && { seedRatioLimit }),
      ...(seedIdleLimit !== undefined && { seedIdleLimit }),
    },
  };
}

function limitIn(mode: number, limit: number): number | undefined {
  if (mode === LIMIT_MODE.global) return undefined;
  return mode === LIMIT_MODE.none ? 0 : limit;
}

/** Its limit of seeding time has no words in this protocol, and stays. */
function shareLimitsAfter(
  own: ShareLimits | undefined,
  change: Pick<ShareLimits, "ratio" | "idleMinutes">,
): ShareLimits | null {
  const { ratio, idleMinutes } = change;
  const limits = {
    ...(ratio !== undefined && { ratio }),
    ...(idleMinutes !== undefined && { idleMinutes }),
    ...(own?.seedingMinutes !== undefined && { seedingMinutes: own.seedingMinutes }),
  };
  return Object.keys(limits).length === 0 ? null : limits;
}
