import { type Command, Option } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type {
  PublishedTorrent,
  PublishEvent,
  PublishOptions,
} from "../../commands/publish-content.ts";
import type { TorrentVersion } from "../../api/versions.ts";
import type { HubPorts } from "../../commands/command-ports.ts";
import type { OwnPublication } from "../../commands/hand-version.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount } from "../figures.ts";
import { kindOption } from "../kind-option.ts";
import { warnLeftOut } from "../left-out.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { hubUrlOption, pieceSizeOption, titleOption } from "../parse-options.ts";
import {
  addPublicationOptions,
  publicationOf,
  type PublicationFlags,
  tellHandedVersion,
} from "../publication-key.ts";
import { FetchProgress } from "./publish-torrent.ts";
import { readSecret } from "../read-secret.ts";
import { UsageError } from "../usage-error.ts";
import { WorkProgress } from "../work-progress.ts";

const HELP = "everseed publish --help";

interface PublishFlags extends OutputOptions, PublicationFlags {
  readonly to?: string;
  readonly tokenFile?: string;
  readonly inPlace?: boolean;
  readonly data?: string;
  readonly name?: string;
  readonly kind: NonNullable<PublishOptions["kind"]>;
  readonly pieceSize: number | "auto";
  readonly private?: boolean;
  readonly comment?: string;
}

export function addPublishCommand(program: Command): void {
  const command = addCommand(program, {
    usage: "publish",
    summary: summaryOf("publish"),
    examples: [
      "everseed publish talks/ --to http://127.0.0.1:8420 --token-file token",
      "everseed publish --in-place /srv/talks --data data",
      "everseed publish 'magnet:?xt=urn:btih:...' --to http://127.0.0.1:8420 --token-file token",
      "everseed publish talks/ --mutable --to http://127.0.0.1:8420 --token-file token",
    ],
  })
    .argument(
      "<path>",
      "a file or a folder; or a .torrent file, magnet link or URL, which the hub fetches from its swarm",
    )
    .addOption(new Option("--to <url>", "address of the hub").argParser(hubUrlOption))
    .option("--token-file <file>", "file with an API token of yours on that hub")
    .option("--in-place", "on the hub's machine: publish what lies there, without a copy")
    .option("--data <dir>", "with --in-place: the hub's data folder")
    .addOption(
      new Option(
        "--name <title>",
        "title to publish it under; files keep their names (default: that of PATH)",
      ).argParser(titleOption),
    )
    .addOption(kindOption())
    .addOption(
      new Option("--piece-size <bytes>", "auto, or 16K to 256M")
        .argParser(pieceSizeOption)
        .default("auto"),
    )
    .option("--private", "peers from its trackers only")
    .option("--comment <text>", "words for people");
  addPublicationOptions(command).action((path: string, flags: PublishFlags) => {
    const chosen = OWN_CONTENT.filter((name) => command.getOptionValueSource(name) === "cli");
    return publish(path, flags, chosen);
  });
}

/** Options that only the maker of a torrent decides. */
const OWN_CONTENT = ["name", "comment", "private", "kind", "pieceSize"];

function publish(path: string, flags: PublishFlags, chosen: readonly string[]): Promise<void> {
  return runCommand(flags, async (run) => {
    const { output, signal } = run;
    if (flags.inPlace === true) return inPlace(path, flags, run);
    const { to, tokenFile } = hubOf(flags);
    const { hubPorts } = await import("../../daemon/hub-ports.ts");
    const { namesTorrent, publishTorrent } = await import("../../commands/publish-torrent.ts");
    if (namesTorrent(path)) {
      if (chosen.length > 0) {
        const why = "A torrent that others made keeps what it is and what it says about itself.";
        throw new UsageError(
          `${why} --name, --comment, --kind, --piece-size and --private are for your own content.`,
          HELP,
        );
      }
      const ports = hubPorts();
      if (flags.mutable === true && flags.keyFile === undefined && !/\.torrent$/i.test(path)) {
        throw new UsageError(
          "A link gives its key no name: --mutable needs --key-file here.",
          HELP,
        );
      }
      const publication = await publicationOf(run, ports, { path, flags, help: HELP });
      const token = await readSecret(run, tokenFile);
      const progress = new FetchProgress(output);
      const published = await publishTorrent(ports, {
        source: path,
        hub: to,
        token,
        signal,
        onEvent: ({ fetch }) => progress.update(fetch),
      });
      return tellAll(run, ports, { hub: to, token, publication, published });
    }
    const { publishContent } = await import("../../commands/publish-content.ts");
    const ports = hubPorts();
    const publication = await publicationOf(run, ports, { path, flags, help: HELP });
    if (publication) await refusePrivate(flags);
    const token = await readSecret(run, tokenFile);
    const progress = new WorkProgress(output.progress, "Uploading");
    const published = await publishContent(ports, {
      path,
      token,
      signal,
      hub: to,
      name: flags.name,
      kind: flags.kind,
      pieceSize: flags.pieceSize,
      private: flags.private ?? false,
      comment: flags.comment,
      onEvent: (event) => tell(output, progress, event),
    });
    await tellAll(run, ports, { hub: to, token, publication, published });
    if (published.existed) tellKept(output, flags, published.name);
  });
}

async function refusePrivate(flags: PublishFlags): Promise<void> {
  const { refusePrivateVersion } = await import("../../commands/hand-version.ts");
  refusePrivateVersion(flags.private);
}

/** Hands a version over when there is a publication, and tells what was published, also when the hub refuses the version. */
async function tellAll(
  { output, signal }: CommandRun,
  ports: HubPorts,
  what: {
    readonly hub: string;
    readonly token: string;
    readonly publication: OwnPublication | undefined;
    readonly published: PublishedTorrent;
  },
): Promise<void> {
  const { hub, token, publication, published } = what;
  if (!publication) return tellPublished(output, published);
  const { handVersion } = await import("../../commands/hand-version.ts");
  try {
    const torrent = published;
    const version = await handVersion(ports, { hub, token, publication, torrent, signal });
    tellPublished(output, published, version);
    tellHandedVersion(output, version);
  } catch (error) {
    tellPublished(output, published);
    throw error;
  }
}

function hubOf({ to, tokenFile, data }: PublishFlags): { to: string; tokenFile: string } {
  if (data !== undefined) throw new UsageError("--data goes with --in-place.", HELP);
  if (to === undefined) throw new UsageError("No hub was named. Give its address with --to.", HELP);
  if (tokenFile !== undefined) return { to, tokenFile };
  throw new UsageError("No token was named. Give its file with --token-file.", HELP);
}

async function inPlace(path: string, flags: PublishFlags, { output, signal }: CommandRun) {
  if (flags.data === undefined || flags.to !== undefined) {
    throw new UsageError(
      "--in-place works on the hub's own machine: it takes --data, not --to.",
      HELP,
    );
  }
  const { inPlacePorts } = await import("../../daemon/in-place-ports.ts");
  const { publishInPlace } = await import("../../commands/publish-in-place.ts");
  const progress = new WorkProgress(output.progress, "Reading");
  const { kind, pieceSize, comment } = flags;
  const ports = inPlacePorts();
  const publication = await publicationOf({ output, signal }, ports, { path, flags, help: HELP });
  const published = await publishInPlace(ports, {
    path,
    publication,
    dataDir: flags.data,
    title: flags.name,
    kind,
    pieceLength: pieceSize,
    private: flags.private ?? false,
    comment,
    signal,
    onEvent: (event) => {
      if (event.kind === "hashed") return progress.update(event.bytesDone);
      const { name, files, bytes, skipped } = event.plan;
      const size = `${formatCount(files, "file")}, ${formatBytes(bytes)}`;
      output.say(`${escapeOutside(name)}: ${size}`);
      warnLeftOut(output, skipped);
      progress.start(bytes);
    },
  });
  progress.finish();
  const link = publication && (await linkOf(publication));
  output.record({ ...published, ...(link !== undefined && { link }) });
  const { infohashV1, infohashV2, pageUrl, magnet, wasHere } = published;
  if (pageUrl === null || magnet === null) {
    output.line(`Infohash   ${infohashV1 ?? infohashV2 ?? ""}`);
    output.line(`Waiting    ${WAITING[published.waitsFor ?? "start"]}`);
  } else {
    output.line(`${wasHere ? "Was here already " : "Published "} ${escapeOutside(pageUrl)}`);
    output.line(`Magnet     ${escapeOutside(magnet)}`);
    output.say(wasHere ? "The hub had it already." : "The everseed serves it from where it lies.");
    if (wasHere) tellKept(output, flags, published.title ?? "");
  }
  if (link !== undefined) output.line(`Follow     ${link}`);
  output.say("The files stay yours: the hub reads them, and never moves, changes or deletes them.");
}

/** The link that finds the newest version, whichever that is. */
async function linkOf({ key, salt }: OwnPublication): Promise<string> {
  const { publicationLink } = await import("../../commands/publish-version.ts");
  return publicationLink({ publicKey: key.publicKey, salt });
}

/** The existing torrent stays unchanged: publishing it again changes none of its texts. */
function tellKept(output: Output, { name, comment }: PublishFlags, title: string): void {
  if (name !== undefined && name !== title) {
    output.warn(`it keeps its title there, ${escapeOutside(title)}: its page can change it`);
  }
  if (comment !== undefined) {
    output.warn("it keeps the description that it has there: its page can change it");
  }
}

/** Why something is not published yet. */
const WAITING = {
  start: "The hub is not running: it will publish this when it starts.",
  setup: "The hub has no administrator yet: it will publish this when it is set up.",
} as const;

function tellPublished(
  output: Output,
  published: PublishedTorrent,
  version?: TorrentVersion,
): void {
  output.record({ ...published, ...(version && { version }) });
  const head = published.existed ? "Was here already " : "Published ";
  output.line(`${head} ${escapeOutside(published.pageUrl)}`);
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
      warnLeftOut(output, [event]);
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
