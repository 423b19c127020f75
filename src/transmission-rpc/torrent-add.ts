import { parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { magnetOfInfohash } from "../metainfo/magnet.ts";
import type { GivenTorrent } from "../transfers/transfer-adding.ts";
import type { FilePriority } from "../transfers/transfer-choices.ts";
import { TORRENT_FILE_BYTES_MAX } from "../transfers/transfer-shelf.ts";
import { fileChoices, namesFiles } from "./file-priorities.ts";
import { labelArgument } from "./label-argument.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { absoluteFolder } from "./torrent-actions.ts";

/** Answers `torrent-add`. */
export async function addTorrent(parts: RpcParts, args: RpcArguments): Promise<AnswerJson> {
  const { transfers, memory } = parts;
  const root = absoluteFolder(args, "download-dir");
  const label = labelArgument(args);
  const paused = args.boolean("paused");
  // Refused before anything is fetched.
  namesFiles(args);
  const notes = notesOn(args);
  const starts = (await memory.session())["start-added-torrents"] ?? true;
  const given = await givenTorrent(parts, args);
  const files = await chosenFiles(parts, args, given);
  const [outcome] = await transfers.addAll([given], {
    root,
    label: label ?? undefined,
    stopped: paused ?? !starts,
    ...(files && { choices: { files } }),
  });
  if (outcome!.kind === "refused") throw outcome!.error;
  const transfer = await transfers.find(outcome!.id);
  if (!transfer) throw new RpcError("bad-request", "It was removed at the same moment.");
  const { seq, name, id } = transfer;
  const key = outcome!.kind === "added" ? "torrent-added" : "torrent-duplicate";
  return JSON.stringify({
    [key]: { id: seq, name, hashString: id },
    ...(notes.length > 0 && { notes }),
  });
}

async function givenTorrent({ node }: RpcParts, args: RpcArguments): Promise<GivenTorrent> {
  const filename = args.text("filename")?.trim() ?? "";
  const metainfo = args.text("metainfo") ?? "";
  if (filename === "" && metainfo === "") {
    throw new RpcError("bad-request", '"filename" or "metainfo" has to name a torrent.');
  }
  if (filename === "") return { torrent: bytesOf(metainfo) };
  if (/^https?:\/\//i.test(filename)) {
    if (args.text("cookies")) {
      throw notHere("No cookies are sent: fetch the .torrent file, and send it as metainfo.");
    }
    return node.openUrl(filename);
  }
  if (/^magnet:/i.test(filename) || magnetOfInfohash(filename)) return { link: filename };
  // Whoever may add torrents must not learn what other files there are.
  throw notHere(
    "No files of this node's machine are opened: send the .torrent file as metainfo, or name a magnet link or URL.",
  );
}

function bytesOf(base64: string): Uint8Array {
  try {
    // Old programs break lines, which counts as white space.
    return Uint8Array.fromBase64(base64);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RpcError("bad-request", '"metainfo" takes base64.');
  }
}

async function chosenFiles(
  { run }: RpcParts,
  args: RpcArguments,
  given: GivenTorrent,
): Promise<Record<number, FilePriority> | undefined> {
  if (!namesFiles(args)) return undefined;
  if ("link" in given) return fileChoices(args, undefined, false);
  try {
    const { info } = await run(
      parseMetainfoInSteps(given.torrent, { bytesMax: TORRENT_FILE_BYTES_MAX }),
    );
    const real = info.files.flatMap(({ pad }, index) =>
      pad ? [] : [{ index, priority: "normal" as const }],
    );
    return fileChoices(args, real, false);
  } catch (error) {
    // The service says what is wrong with it.
    if (error instanceof MetainfoError) return undefined;
    throw error;
  }
}

/** Wishes that are no reason to refuse a torrent, and are not carried out: the answer says so. */
function notesOn(args: RpcArguments): string[] {
  const notes: string[] = [];
  if ((args.integer("bandwidthPriority", -1, 1) ?? 0) !== 0) {
    notes.push("bandwidthPriority: torrents share the line equally here");
  }
  if (args.integer("peer-limit", 0) !== undefined) {
    notes.push("peer-limit: all torrents have the same limit here");
  }
  return notes;
}
