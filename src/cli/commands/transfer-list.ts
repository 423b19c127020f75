import type { Command } from "commander";
import type { TransferView } from "../../api/transfers.ts";
import { formatBytes } from "../../base/format-bytes.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount, formatRate, formatSeconds } from "../figures.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { stateWords, transferTable } from "../transfer-table.ts";
import { useTransferFeed, useTransfers } from "../use-transfers.ts";

const NAME_WIDTH = 14;

interface ListFlags extends SystemFlags {
  readonly label?: string;
  readonly watch?: boolean;
}

export function addTransferListCommand(parent: Command): void {
  addCommand(parent, {
    usage: "ls",
    summary: summaryOf("ls"),
    examples: ["everseed ls", "everseed ls --watch", "everseed ls --json --label films"],
  })
    .option("--label <label>", "those with this label only")
    .option("--watch", "again whenever something changes, until interrupted")
    .option(...SYSTEM_OPTION)
    .action((flags: ListFlags) => runCommand(flags, (run) => list(run, flags)));
}

export function addTransferShowCommand(parent: Command): void {
  addCommand(parent, {
    usage: "show",
    summary: "Show how a torrent is doing.",
    examples: ["everseed transfers show 9d3c"],
  })
    .argument("<id>", "an id, as short as tells it apart, or a name")
    .option(...SYSTEM_OPTION)
    .action((id: string, flags: SystemFlags) =>
      runCommand(flags, (run) => showTransfer(run, id, flags)),
    );
}

async function list(run: CommandRun, flags: ListFlags): Promise<void> {
  if (flags.watch) return watch(run, flags);
  const client = await useTransfers(run, flags);
  tell(run.output, await client.list({ label: flags.label }));
}

/** With `--json` a line for each transfer that has changed, and one with `removed` for each that is gone. */
async function watch(run: CommandRun, flags: ListFlags): Promise<void> {
  const { output, signal } = run;
  const feed = await useTransferFeed(run, flags);
  for await (const news of feed.follow(signal)) {
    if (news.kind === "away") {
      output.say("The node has ended. It is asked again until it answers.");
      continue;
    }
    for (const transfer of news.changed) output.record(transfer);
    for (const { id, name } of news.removed) output.record({ id, name, removed: true });
    if (!output.json) output.redraw(linesOf(output, feed.transfers));
  }
}

function linesOf(output: Output, transfers: readonly TransferView[]): readonly string[] {
  return transfers.length === 0
    ? ["There are no torrents yet."]
    : transferTable(transfers, output.columns);
}

function tell(output: Output, transfers: readonly TransferView[]): void {
  for (const transfer of transfers) output.record(transfer);
  if (output.json) return;
  if (transfers.length === 0) {
    output.say("There are no torrents yet. everseed add adds the first.");
    return;
  }
  for (const line of transferTable(transfers, output.columns)) output.line(line);
}

/** Prints one transfer; `everseed show` does so for the beginning of an id. */
export async function showTransfer(run: CommandRun, id: string, flags: SystemFlags): Promise<void> {
  const client = await useTransfers(run, flags);
  const transfer = await client.find(id);
  run.output.record(transfer);
  const { size, done, down, up, peers, knownPeers, eta, ratio, label } = transfer;
  const rows: (readonly [string, string | null])[] = [
    ["Name", transfer.name],
    ["State", stateWords(transfer)],
    ["Size", size === null ? "unknown" : `${formatBytes(done)} of ${formatBytes(size)}`],
    ["Down", `${formatRate(down)}, ${formatBytes(transfer.downloaded)} so far`],
    ["Up", `${formatRate(up)}, ${formatBytes(transfer.uploaded)} so far`],
    ["Ratio", ratio === null ? null : ratio.toFixed(2)],
    ["Peers", `${formatCount(peers, "peer")} of ${Math.max(peers, knownPeers)}`],
    ["Left", eta === null ? null : formatSeconds(eta)],
    ["Label", label],
    ["Folder", transfer.folder],
    ["Infohash v1", transfer.infohashV1],
    ["Infohash v2", transfer.infohashV2],
    ["Added", transfer.addedAt],
    ["Finished", transfer.finishedAt],
  ];
  for (const [name, value] of rows) {
    if (value !== null) run.output.line(`${name.padEnd(NAME_WIDTH)}${escapeOutside(value)}`);
  }
}
