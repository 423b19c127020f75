import type { Command } from "commander";
import type { TransferView } from "../../api/transfers.ts";
import { formatBytes } from "../../base/format-bytes.ts";
import type { TransferClient } from "../../commands/transfer-client.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount, formatRate, formatSeconds } from "../figures.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { stateWords, transferTable } from "../transfer-table.ts";
import { useTransfers } from "../use-transfers.ts";

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
    .option("--watch", "again each second, until interrupted")
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
  const client = await useTransfers(run, flags);
  if (flags.watch) await watch(run, client, flags);
  else tell(run.output, await client.list({ label: flags.label }));
}

/** With `--json` a line for each transfer that has changed. */
async function watch(run: CommandRun, client: TransferClient, flags: ListFlags): Promise<void> {
  const { output, signal } = run;
  const { sleep } = await import("../../commands/waiting.ts");
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { clock } = filePorts();
  const told = new Map<string, string>();
  for (;;) {
    const transfers = await client.list({ label: flags.label });
    if (output.json) {
      for (const transfer of transfers) {
        const text = JSON.stringify(transfer);
        if (told.get(transfer.id) !== text) output.record(transfer);
        told.set(transfer.id, text);
      }
    } else tell(output, transfers);
    await sleep(clock, 1_000, signal);
    output.line("");
  }
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
