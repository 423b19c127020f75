import { once } from "node:events";
import type { Command } from "commander";
import { transferContentPath } from "../../api/paths.ts";
import type { TransferFilesView } from "../../api/transfers.ts";
import { formatBytes } from "../../base/format-bytes.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatRate, formatSeconds } from "../figures.ts";
import { cutMiddle, escapeOutside } from "../outside-text.ts";
import { collect, trackerOption } from "../parse-options.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { UsageError } from "../usage-error.ts";
import { useMediaDoor, useTransfers } from "../use-transfers.ts";

const ID = "an id, as short as tells it apart, or a name";
/** Beside how much of a file is there. */
const SIGNS = { low: " -", normal: "", high: " +" } as const;
/** What a line has before a file's path. */
const FILE_COLUMNS = 26;

interface FilesFlags extends SystemFlags {
  readonly want: readonly string[];
  readonly skip: readonly string[];
  readonly play?: string;
  readonly rename?: string;
  readonly to?: string;
  readonly high: readonly string[];
  readonly low: readonly string[];
}

interface PeersFlags extends SystemFlags {
  readonly add: readonly string[];
}

interface TrackersFlags extends SystemFlags {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly announce?: boolean;
}

/** Commands about the files, the peers and the trackers of one transfer. */
export function addTransferPartCommands(parent: Command): void {
  addCommand(parent, {
    usage: "files",
    summary: summaryOf("files"),
    examples: [
      "everseed files 9d3c",
      "everseed files 9d3c --skip '*.nfo' --want 'talks/*.webm' --high '*.srt'",
      "everseed files 9d3c --rename talks/one.webm --to opening.webm",
      "everseed files 9d3c --play 'one.webm'",
    ],
  })
    .argument("<id>", ID)
    .option("--want <glob>", "fetch files that fit; may be given again", collect, [])
    .option("--skip <glob>", "leave files out that fit; may be given again", collect, [])
    .option("--play <glob>", "serve files that fit to a player on this machine, until Ctrl-C")
    .option("--rename <path>", "give this file or folder another name, with --to")
    .option("--to <name>", "its new name, without folders")
    .option("--high <glob>", "fetch files that fit before others; may be given again", collect, [])
    .option("--low <glob>", "fetch files that fit after others; may be given again", collect, [])
    .option(...SYSTEM_OPTION)
    .action((id: string, flags: FilesFlags) => runCommand(flags, (run) => files(run, id, flags)));
  addCommand(parent, {
    usage: "peers",
    summary: summaryOf("peers"),
    examples: ["everseed peers 9d3c", "everseed peers 9d3c --add 192.0.2.7:6881"],
  })
    .argument("<id>", ID)
    .option("--add <address>", "connect to this address and port; may be given again", collect, [])
    .option(...SYSTEM_OPTION)
    .action((id: string, flags: PeersFlags) => runCommand(flags, (run) => peers(run, id, flags)));
  addCommand(parent, {
    usage: "trackers",
    summary: summaryOf("trackers"),
    examples: [
      "everseed trackers 9d3c",
      "everseed trackers 9d3c --add https://hub.example/announce",
      "everseed trackers 9d3c --announce",
    ],
  })
    .argument("<id>", ID)
    .option("--add <url>", "ask this tracker too; may be given again", trackerOption, [])
    .option("--remove <url>", "do not ask this one; may be given again", collect, [])
    .option("--announce", "ask them now")
    .option(...SYSTEM_OPTION)
    .action((id: string, flags: TrackersFlags) =>
      runCommand(flags, (run) => trackers(run, id, flags)),
    );
}

async function files(run: CommandRun, id: string, flags: FilesFlags): Promise<void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  const { skip, low, want: normal, high, rename: path, to: name } = flags;
  if ((path === undefined) !== (name === undefined)) {
    throw new UsageError(
      "--rename and --to belong together.",
      `everseed files ${id} --rename talks/one.webm --to opening.webm`,
    );
  }
  const chosen = { skip, low, normal, high };
  if (Object.values(chosen).some(({ length }) => length > 0)) await client.choose(id, chosen);
  // Not by its name, which may be what changes.
  const { id: whole } = await client.find(id);
  if (path !== undefined && name !== undefined) await client.rename(whole, path, name);
  const found = await client.files(whole);
  if (flags.play !== undefined) {
    await play(run, whole, client.fitting(id, found.files, flags.play), flags);
    return;
  }
  output.record(found);
  if (found.files.length === 0) output.say("Its files are not known yet.");
  for (const { path, length, done, priority } of found.files) {
    const part = length === 0 ? 100 : Math.floor((100 * done) / length);
    const state = priority === "skip" ? "left out" : `${part} %${SIGNS[priority]}`;
    const name = cutMiddle(escapeOutside(path), output.columns - FILE_COLUMNS);
    output.line(`${formatBytes(length).padStart(10)}  ${state.padStart(8)}  ${name}`);
  }
}

/** Prints an address for each file, and serves them until the person ends it. */
async function play(
  { output, signal }: CommandRun,
  id: string,
  files: TransferFilesView["files"],
  flags: FilesFlags,
): Promise<void> {
  const door = await useMediaDoor(flags);
  try {
    for (const { index, path } of files) {
      const url = door.add(transferContentPath(id, index), path.slice(path.lastIndexOf("/") + 1));
      output.record({ path, url });
      output.line(`${url}  ${escapeOutside(path)}`);
    }
    output.say("Ctrl-C ends it.");
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await door.close();
  }
}

async function peers(run: CommandRun, id: string, flags: PeersFlags): Promise<void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  if (flags.add.length > 0) await client.edit(id, { addPeers: [...flags.add] });
  const found = await client.peers(id);
  output.record(found);
  if (found.peers.length === 0) output.say("Nobody is connected.");
  for (const peer of found.peers) {
    const rates = `down ${formatRate(peer.downloadBytesPerSecond)}, up ${formatRate(peer.uploadBytesPerSecond)}`;
    const part = `${Math.floor(peer.progress * 100)} %`;
    const words = `${peer.address}  ${part.padStart(5)}  ${rates}  ${escapeOutside(peer.client)}`;
    output.line(`${words}  ${peer.transport}, from ${peer.source}`);
  }
}

async function trackers(run: CommandRun, id: string, flags: TrackersFlags): Promise<void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  const { add, remove } = flags;
  if (add.length + remove.length > 0) {
    await client.edit(id, { addTrackers: [...add], removeTrackers: [...remove] });
  }
  if (flags.announce) await client.command(id, "announce");
  const found = await client.trackers(id);
  output.record(found);
  if (found.tiers.length === 0) output.say("It has no trackers.");
  for (const [index, tier] of found.tiers.entries()) {
    for (const url of tier) output.line(`${index + 1}  ${escapeOutside(url)}`);
  }
  for (const { name, state, message, nextAnnounceSeconds, seeds, leechers } of found.trackers) {
    const words = [
      state,
      ...(seeds === null ? [] : [`${seeds} seeds`]),
      ...(leechers === null ? [] : [`${leechers} leechers`]),
      ...(nextAnnounceSeconds === null ? [] : [`again in ${formatSeconds(nextAnnounceSeconds)}`]),
      ...(message === null ? [] : [escapeOutside(message)]),
    ];
    output.line(`${escapeOutside(name)}: ${words.join(", ")}`);
  }
}
