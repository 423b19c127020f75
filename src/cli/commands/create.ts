import { type Command, Option } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { CreateOptions } from "../../commands/create-torrent.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount, formatRate } from "../figures.ts";
import { kindOption } from "../kind-option.ts";
import { warnLeftOut } from "../left-out.ts";
import type { OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { collect, type NamedPeer, peerOption, pieceSizeOption } from "../parse-options.ts";
import { UsageError } from "../usage-error.ts";
import { WorkProgress } from "../work-progress.ts";

interface CreateFlags extends OutputOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly kind: CreateOptions["kind"];
  readonly pieceSize: number | "auto";
  readonly name?: string;
  readonly tracker?: readonly string[];
  readonly webSeed?: readonly string[];
  readonly dhtNode?: readonly NamedPeer[];
  readonly private?: boolean;
  readonly comment?: string;
  readonly source?: string;
  readonly date: boolean;
}

export function addCreateCommand(program: Command): void {
  addCommand(program, {
    usage: "create",
    summary: summaryOf("create"),
    examples: [
      "everseed create talks/ -o talks.torrent",
      "everseed create talks/ --tracker https://tracker.example/announce --private",
    ],
  })
    .argument("<path>", "a file or a folder")
    .option("-o, --out <file>", "the .torrent file to write (default: NAME.torrent)")
    .option("-f, --force", "replace the file if it exists")
    .addOption(kindOption())
    .addOption(
      new Option("--piece-size <bytes>", "auto, or 16K to 256M")
        .argParser(pieceSizeOption)
        .default("auto"),
    )
    .option("--name <name>", "name in the torrent (default: that of PATH)")
    .option("--tracker <url>", "announce URL; repeat for more, with commas for one tier", collect)
    .option("--web-seed <url>", "URL of the files on the web; repeat for more", collect)
    .option(
      "--dht-node <host:port>",
      "without a tracker: a DHT node to begin with; repeat for more",
      peerOption,
    )
    .option("--private", "peers from its trackers only")
    .option("--comment <text>", "words for people")
    .option("--source <text>", "tag that changes the infohash")
    .option("--no-date", "leave the date out: the same input gives the same file")
    .action((path: string, flags: CreateFlags) => create(path, flags));
}

/** Also a half of `vtorrent`. */
export function create(path: string, flags: CreateFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    refuseNodes(flags);
    const { createTorrent } = await import("../../commands/create-torrent.ts");
    const { diskPorts } = await import("../../daemon/disk-ports.ts");
    const { filePorts } = await import("../../daemon/file-ports.ts");
    const progress = new WorkProgress(output.progress, "Hashing");
    const created = await createTorrent(
      { ...filePorts(), ...diskPorts() },
      {
        path,
        signal,
        file: flags.out,
        overwrite: flags.force ?? false,
        kind: flags.kind,
        pieceLength: flags.pieceSize,
        name: flags.name,
        trackers: (flags.tracker ?? []).map((tier) => tier.split(",").map((url) => url.trim())),
        webSeeds: flags.webSeed,
        nodes: flags.dhtNode,
        private: flags.private,
        comment: flags.comment,
        source: flags.source,
        dated: flags.date,
        onEvent: (event) => {
          if (event.kind === "hashed") return progress.update(event.bytesDone);
          const { plan } = event;
          const size = `${formatCount(plan.files, "file")}, ${formatBytes(plan.bytes)}`;
          output.say(
            `${escapeOutside(plan.name)}: ${size}, pieces of ${formatBytes(plan.pieceSize)}`,
          );
          warnLeftOut(output, plan.skipped);
          progress.start(plan.bytes);
        },
      },
    );
    const speed = progress.finish();
    output.detail(`Hashed at ${formatRate(speed)}.`);
    const { warnings, ...result } = created;
    for (const warning of warnings) output.warn(escapeOutside(warning));
    output.record(result);
    output.line(`Created   ${escapeOutside(created.file)}`);
    if (created.infohashV1 !== null) output.line(`Infohash  v1 ${created.infohashV1}`);
    if (created.infohashV2 !== null) output.line(`Infohash  v2 ${created.infohashV2}`);
    output.line(`Magnet    ${created.magnet}`);
  });
}

/** A torrent has a tracker or nodes (BEP 5), and a private one no DHT. */
function refuseNodes({ dhtNode, tracker, private: isPrivate }: CreateFlags): void {
  if (!dhtNode || (!tracker && isPrivate !== true)) return;
  throw new UsageError(
    tracker
      ? "--dht-node is for torrents without a tracker: with --tracker, peers come from there."
      : "--dht-node and --private exclude each other: a private torrent does not use the DHT.",
    "everseed create --help",
  );
}
