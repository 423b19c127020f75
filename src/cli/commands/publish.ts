import { type Command, Option } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type {
  PublishedTorrent,
  PublishEvent,
  PublishOptions,
} from "../../daemon/publish-content.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { formatCount } from "../figures.ts";
import { kindOption } from "../kind-option.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { hubUrlOption, pieceSizeOption } from "../parse-options.ts";
import { FetchProgress } from "./publish-torrent.ts";
import { readSecret } from "../read-secret.ts";
import { WorkProgress } from "../work-progress.ts";

interface PublishFlags extends OutputOptions {
  readonly to: string;
  readonly tokenFile: string;
  readonly name?: string;
  readonly kind: NonNullable<PublishOptions["kind"]>;
  readonly pieceSize: number | "auto";
  readonly private?: boolean;
  readonly comment?: string;
}

export function addPublishCommand(program: Command): void {
  addCommand(program, {
    usage: "publish",
    summary: "Have a hub publish a file, a folder, or a torrent that others made.",
    examples: [
      "everseed publish talks/ --to http://127.0.0.1:8420 --token-file token",
      "everseed publish 'magnet:?xt=urn:btih:...' --to http://127.0.0.1:8420 --token-file token",
    ],
  })
    .argument(
      "<path>",
      "a file or a folder; or a .torrent file, magnet link or URL, which the hub fetches from its swarm",
    )
    .addOption(
      new Option("--to <url>", "address of the hub").argParser(hubUrlOption).makeOptionMandatory(),
    )
    .requiredOption("--token-file <file>", "file with an API token of yours on that hub")
    .option(
      "--name <title>",
      "title to publish it under; files keep their names (default: that of PATH)",
    )
    .addOption(kindOption())
    .addOption(
      new Option("--piece-size <bytes>", "auto, or 16K to 256M")
        .argParser(pieceSizeOption)
        .default("auto"),
    )
    .option("--private", "peers from its trackers only")
    .option("--comment <text>", "words for people")
    .action((path: string, flags: PublishFlags) => publish(path, flags));
}

function publish(path: string, flags: PublishFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { namesTorrent, publishTorrent } = await import("../../daemon/publish-torrent.ts");
    if (namesTorrent(path)) {
      const token = await readSecret(output, flags.tokenFile);
      const progress = new FetchProgress(output);
      const published = await publishTorrent({
        source: path,
        hub: flags.to,
        token,
        signal,
        onProgress: (fetch) => progress.update(fetch),
      });
      return tellPublished(output, published);
    }
    const { publishContent } = await import("../../daemon/publish-content.ts");
    const token = await readSecret(output, flags.tokenFile);
    const progress = new WorkProgress(output.progress, "Uploading");
    const published = await publishContent({
      path,
      token,
      signal,
      hub: flags.to,
      name: flags.name,
      kind: flags.kind,
      pieceSize: flags.pieceSize,
      private: flags.private ?? false,
      comment: flags.comment,
      onEvent: (event) => tell(output, progress, event),
    });
    tellPublished(output, published);
  });
}

function tellPublished(output: Output, published: PublishedTorrent): void {
  output.record(published);
  output.line(`Published  ${escapeOutside(published.pageUrl)}`);
  output.line(`Magnet     ${escapeOutside(published.magnet)}`);
  output.say("The everseed has it all and seeds it.");
}

function tell(output: Output, progress: WorkProgress, event: PublishEvent): void {
  switch (event.kind) {
    case "found": {
      const size = `${formatCount(event.files, "file")}, ${formatBytes(event.bytes)}`;
      output.say(`${escapeOutside(event.name)}: ${size}`);
      break;
    }
    case "skipped":
      output.warn(`${escapeOutside(event.path)} is left out: ${event.why}`);
      break;
    case "renamed":
      output.warn(`${escapeOutside(event.from)} is stored as ${escapeOutside(event.to)}`);
      break;
    case "uploading":
      if (event.offset > 0) output.say(`Going on at ${formatBytes(event.offset)}.`);
      progress.start(event.total, event.offset);
      break;
    case "sent":
      progress.update(event.bytes);
      break;
  }
}
