import type { Totals } from "../transfers/transfer-totals.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { fixedFields, mutableFields } from "./session-fields.ts";
import { absoluteFolder } from "./torrent-actions.ts";

/** Answers `session-get`. Fields that are unknown are left out. */
export async function getSession(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const { transfers, node, memory } = parts;
  const state = {
    settings: transfers.settings,
    ways: node.ways(),
    memory: await memory.session(),
  };
  const fields = Object.entries({ ...mutableFields(parts, state), ...(await fixedFields(parts)) });
  const asked = args.list("fields");
  const wanted = asked ? fields.filter(([key]) => asked.includes(key)) : fields;
  return JSON.stringify(Object.fromEntries(wanted));
}

/** Answers `session-stats`. */
export async function getStats({ transfers }: RpcParts): Promise<AnswerJson> {
  const { all, stopped } = await transfers.counts();
  const { rates, now, ever } = transfers.totals;
  return JSON.stringify({
    activeTorrentCount: all - stopped,
    downloadSpeed: Math.round(rates.down),
    pausedTorrentCount: stopped,
    torrentCount: all,
    uploadSpeed: Math.round(rates.up),
    "cumulative-stats": statsOf(ever),
    "current-stats": statsOf(now),
  });
}

function statsOf({ uploaded, downloaded, added, runs, seconds }: Totals) {
  return {
    uploadedBytes: uploaded,
    downloadedBytes: downloaded,
    filesAdded: added,
    sessionCount: runs,
    secondsActive: seconds,
  };
}

/** Answers `free-space`. */
export async function freeSpace({ node }: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const path = absoluteFolder(args, "path");
  if (path === undefined) throw new RpcError("bad-request", '"path" is missing.');
  const space = await node.space(path);
  if (!space) throw new RpcError("bad-request", `There is no folder ${path}.`);
  const { free, total } = space;
  return JSON.stringify({ path: args.text("path"), "size-bytes": free, total_size: total });
}

/** Answers `port-test`, from what was seen here: nobody outside is asked. */
export function testPort({ node }: RpcParts): AnswerJson {
  if (node.wasReached()) return JSON.stringify({ "port-is-open": true });
  throw notHere(
    "Nobody outside has connected to the port for peers since the start, so it is not known to be open. " +
      "This node asks no other server to try it.",
  );
}
