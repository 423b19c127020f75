import { decodeUtf8, encodeUtf8 } from "../../../src/base/bytes.ts";
import { type ChosenFile, fileChoices } from "../../../src/transmission-rpc/file-priorities.ts";
import { labelArgument } from "../../../src/transmission-rpc/label-argument.ts";
import { RpcError } from "../../../src/transmission-rpc/rpc-error.ts";
import { readObject, readRequest } from "../../../src/transmission-rpc/rpc-request.ts";
import { absoluteFolder } from "../../../src/transmission-rpc/torrent-actions.ts";
import { trackerEdit } from "../../../src/transmission-rpc/tracker-edits.ts";
import type { FuzzTarget } from "../target.ts";

const FILES: readonly ChosenFile[] = [
  { index: 0, priority: "normal" },
  { index: 2, priority: "skip" },
];
const TRACKERS = { tiers: [["http://a.example/announce"], ["udp://b.example:1"]], status: [] };

const CORPUS = [
  {
    method: "torrent-set",
    arguments: { ids: 1, "files-wanted": [], "priority-high": [1] },
    tag: 7,
  },
  { method: "torrent-set", arguments: { labels: ["films"], trackerReplace: [0, "udp://c:1"] } },
  {
    method: "torrent-set",
    arguments: { trackerList: "http://a\n\nudp://b:1\n", location: "/a//" },
  },
  { method: "torrent-add", arguments: { "files-unwanted": [0], trackerRemove: [1], labels: [] } },
].map((request) => encodeUtf8(JSON.stringify(request)));

/** The body of a request, and the arguments that are more than one value. */
const body: FuzzTarget = {
  name: "transmission-rpc body",
  corpus: CORPUS,
  refusals: [RpcError],
  run(input) {
    const { args } = readRequest(readObject(decodeUtf8(input)));
    const label = labelArgument(args);
    if (label === "") throw new Error("an empty label");
    const folder = absoluteFolder(args, "location");
    if (folder !== undefined && (!folder.startsWith("/") || /.\/$/.test(folder))) {
      throw new Error(`the folder ${folder}`);
    }
    const chosen = Object.keys(fileChoices(args, FILES, true)).map(Number);
    if (chosen.some((index) => !FILES.some((file) => file.index === index))) {
      throw new Error(`files ${chosen.join()}`);
    }
    const { removeTrackers = [] } = trackerEdit(TRACKERS, args);
    const here: readonly string[] = TRACKERS.tiers.flat();
    if (removeTrackers.some((url) => !here.includes(url)))
      throw new Error("a tracker that is not here");
  },
};

export const targets: readonly FuzzTarget[] = [body];
