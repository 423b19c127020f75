import type { QueueMove } from "../transfers/queue-moves.ts";
import type { Transfers } from "../transfers/transfers.ts";
import { TransfersError } from "../transfers/transfers-error.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { idsOf, select } from "./selection.ts";

/** What is done to each selected transfer. */
type Action = (transfers: Transfers, id: string, args: RpcArguments) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["torrent-start", (transfers, id) => transfers.start(id)],
  ["torrent-stop", (transfers, id) => transfers.stop(id)],
  ["torrent-verify", (transfers, id) => transfers.recheck(id)],
  ["torrent-reannounce", (transfers, id) => transfers.announce(id)],
  [
    "torrent-remove",
    (transfers, id, args) => transfers.remove(id, args.boolean("delete-local-data") ?? false),
  ],
]);

export const ACTION_METHODS: readonly string[] = [...ACTIONS.keys()];

/** Carries out a method of `ACTION_METHODS` for each selected transfer. */
export async function act(
  method: string,
  parts: RpcParts,
  args: RpcArguments,
): Promise<AnswerJson> {
  const { transfers } = parts;
  const action = ACTIONS.get(method)!;
  // Refused before anything is done.
  args.boolean("delete-local-data");
  await forEach(parts, args, (id) => action(transfers, id, args));
  return "{}";
}

/** The downloads go to the head of the queue, so that they run before others. */
export async function startNow(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const { transfers } = parts;
  const ids = await forEach(parts, args, (id) => transfers.start(id));
  await transfers.moveInQueue(ids, "first");
  return "{}";
}

export const QUEUE_METHODS: ReadonlyMap<string, QueueMove> = new Map([
  ["queue-move-top", "first"],
  ["queue-move-up", "up"],
  ["queue-move-down", "down"],
  ["queue-move-bottom", "last"],
]);

/** Puts downloads at a place of the queue. @param rank - From 0; behind the last one means last. */
export async function moveToRank(
  transfers: Transfers,
  ids: readonly string[],
  rank: number,
): Promise<void> {
  const others = (await transfers.queue()).filter((id) => !ids.includes(id));
  const before = others[rank];
  await transfers.moveInQueue(ids, before === undefined ? "last" : { before });
}

export async function moveInQueue(
  { transfers, recent }: RpcParts,
  args: RpcArguments,
  where: QueueMove,
): Promise<AnswerJson> {
  await transfers.moveInQueue(await idsOf(select(args, transfers, recent)), where);
  return "{}";
}

/** `torrent-set-location`: moves the content, or says where it is. */
export async function setLocation(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const location = absoluteFolder(args, "location");
  if (location === undefined) throw new RpcError("bad-request", '"location" is missing.');
  const moves = args.boolean("move") ?? false;
  const { transfers } = parts;
  await forEach(parts, args, (id) =>
    moves ? transfers.move(id, location) : transfers.edit(id, { root: location }),
  );
  return "{}";
}

/** `torrent-rename-path`: gives a file or folder of one torrent another name. */
export async function renamePath(
  { transfers, recent }: RpcParts,
  args: RpcArguments,
): Promise<AnswerJson> {
  const [path, name] = [args.text("path"), args.text("name")];
  if (path === undefined || name === undefined) {
    throw new RpcError("bad-request", '"path" and "name" have to be given.');
  }
  const [id, ...more] = await idsOf(select(args, transfers, recent));
  if (id === undefined || more.length > 0) {
    throw new RpcError("bad-request", '"ids" has to name one torrent.');
  }
  await transfers.rename(id, path, name);
  return JSON.stringify({ id: (await transfers.find(id))?.seq, path, name });
}

/** @returns The path of a folder without a slash at its end. @throws {RpcError} For a relative one. */
export function absoluteFolder(args: RpcArguments, key: string): string | undefined {
  const path = args.text(key);
  if (path === undefined || path === "") return undefined;
  if (!path.startsWith("/") || path.includes("\0")) {
    throw new RpcError("bad-request", `"${key}" takes an absolute path.`);
  }
  return path.replace(/(?<=.)\/+$/, "");
}

/**
 * Works on each selected transfer, one after the other. One that cannot be done keeps no other from it.
 *
 * @returns The ids of all of them.
 * @throws {TransfersError} (rejects) The first refusal, at the end.
 */
export async function forEach(
  { transfers, recent }: RpcParts,
  args: RpcArguments,
  work: (id: string) => Promise<void>,
): Promise<readonly string[]> {
  const ids = await idsOf(select(args, transfers, recent));
  let refusal: TransfersError | undefined;
  for (const id of ids) {
    try {
      await work(id);
    } catch (error) {
      if (!(error instanceof TransfersError)) throw error;
      // It was removed at this moment.
      if (error.code !== "not-found") refusal ??= error;
    }
  }
  if (refusal) throw refusal;
  return ids;
}
