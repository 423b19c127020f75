import type { Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { LongList } from "../../base/long-list.ts";
import type { ListedFile, ShownMagnet, ShownTorrent } from "../../commands/show-torrent.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount } from "../figures.ts";
import type { Output, OutputOptions } from "../output.ts";
import { cutMiddle, escapeOutside } from "../outside-text.ts";

/** Longer lists are for `--json` and pagers. */
const FILES_SHOWN_MAX = 1000;
/** The beginning of a transfer's id; all of it is an infohash. */
const SHORT_ID = /^[0-9a-f]{1,39}$/i;

interface ShowFlags extends OutputOptions {
  readonly pieces?: boolean;
}

export function addShowCommand(program: Command): void {
  addCommand(program, {
    usage: "show",
    summary: summaryOf("show"),
    examples: [
      "everseed show 9d3c",
      "everseed show talks.torrent",
      "everseed show --json 'magnet:?xt=urn:btih:...'",
    ],
  })
    .argument(
      "<torrent>",
      "a .torrent file, a magnet link, an infohash, the URL of a torrent, or the beginning of an id that ls shows",
    )
    .option("--pieces", "with --json: the hash of every piece, too")
    .action((source: string, flags: ShowFlags) =>
      runCommand(flags, async ({ output, signal }) => {
        const { filePorts } = await import("../../daemon/file-ports.ts");
        if (SHORT_ID.test(source) && !filePorts().files.exists(source)) {
          const { showTransfer } = await import("./transfer-list.ts");
          await showTransfer({ output, signal }, source, flags);
          return;
        }
        const command = await import("../../commands/show-torrent.ts");
        const shown = await command.showTorrent(filePorts(), source, signal);
        output.record(flags.pieces === true ? shown : withoutHashes(shown));
        if (shown.type === "torrent") printTorrent(output, shown, shown[command.LISTING]);
        else printMagnet(output, shown);
      }),
    );
}

/** For a large torrent these are megabytes that few programs want. */
function withoutHashes(shown: ShownTorrent | ShownMagnet): object {
  if (shown.type === "magnet") return shown;
  const fields = Object.keys(shown).filter((name) => !HASH_TABLES.has(name));
  return Object.fromEntries(fields.map((name) => [name, shown[name as keyof ShownTorrent]]));
}

const HASH_TABLES: ReadonlySet<string> = new Set(["pieceHashes", "pieceLayers"]);

function printTorrent(output: Output, torrent: ShownTorrent, files: LongList<ListedFile>): void {
  const rows: (readonly [string, string | null])[] = [
    ["Name", torrent.name],
    ["Size", `${formatBytes(torrent.bytes)} in ${formatCount(files.length, "file")}`],
    ["Kind", torrent.private ? `${torrent.kind}, private` : torrent.kind],
    ["Pieces", `${torrent.pieces} of ${formatBytes(torrent.pieceSize)}`],
    ["Infohash v1", torrent.infohashV1],
    ["Infohash v2", torrent.infohashV2],
    ["Created", torrent.creationDate],
    ["Created by", torrent.createdBy],
    ["Comment", torrent.comment],
    ["Source", torrent.source],
    ...torrent.trackers.map((tier) => ["Tracker", tier.join(", ")] as const),
    ...torrent.webSeeds.map((url) => ["Web seed", url] as const),
    ...torrent.httpSeeds.map((url) => ["HTTP seed", url] as const),
    ...torrent.nodes.map((node) => ["DHT node", node] as const),
    ["Magnet", torrent.magnet],
  ];
  printRows(output, rows);
  output.line("");
  let left = files.length;
  for (const file of files) {
    if (files.length - left === FILES_SHOWN_MAX) break;
    left -= 1;
    const size = formatBytes(file.length).padStart(10);
    output.line(`${size}  ${cutMiddle(escapeOutside(file.path), output.columns - 12)}`);
  }
  if (left > 0) output.line(`            and ${formatCount(left, "more file")}: see --json`);
  for (const warning of torrent.warnings) output.warn(escapeOutside(warning));
}

function printMagnet(output: Output, magnet: ShownMagnet): void {
  printRows(output, [
    ["Name", magnet.name],
    ["Size", magnet.bytes === null ? null : formatBytes(magnet.bytes)],
    ["Infohash v1", magnet.infohashV1],
    ["Infohash v2", magnet.infohashV2],
    ["Key", magnet.publicKey],
    ["Salt", magnet.salt === "" ? null : magnet.salt],
    ...magnet.trackers.map((url) => ["Tracker", url] as const),
    ...magnet.webSeeds.map((url) => ["Web seed", url] as const),
    ...magnet.peers.map((peer) => ["Peer", peer] as const),
    ...magnet.exactSources.map((url) => ["Source", url] as const),
    [
      "Only files",
      magnet.selectOnly?.map(([first, last]) => `${first} to ${last}`).join(", ") ?? null,
    ],
  ]);
  if (magnet.infohashV1 === null && magnet.infohashV2 === null) {
    output.say(
      "It names a publication by its key. everseed follow fetches its newest version and every one after it, everseed get " +
        "the newest one only.",
    );
    return;
  }
  output.say(
    "That is all it says. The list of files comes from peers: everseed get fetches it; name peers with --tracker URL or " +
      "--peer HOST:PORT.",
  );
}

function printRows(output: Output, rows: readonly (readonly [string, string | null])[]): void {
  for (const [label, value] of rows) {
    if (value !== null)
      output.line(`${output.style("bold", label.padEnd(12))} ${escapeOutside(value)}`);
  }
}
