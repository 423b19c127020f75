import type { Command } from "commander";
import type { AddOptions } from "../../commands/transfer-client.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { EXIT } from "../exit-code.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { useTransfers } from "../use-transfers.ts";

interface AddFlags extends SystemFlags {
  readonly out?: string;
  readonly label?: string;
  readonly stopped?: boolean;
  readonly first?: boolean;
}

export function addTransferAddCommand(parent: Command): void {
  addCommand(parent, {
    usage: "add",
    summary: summaryOf("add"),
    examples: [
      "everseed add 'magnet:?xt=urn:btih:...'",
      "everseed add talks.torrent -o /srv/films --label films",
      "everseed add torrents/        every .torrent file in a folder",
    ],
  })
    .argument(
      "<source...>",
      "a .torrent file, a folder of them, a magnet link, an infohash or a URL",
    )
    .option("-o, --out <dir>", "folder that receives, or holds, the files")
    .option("--label <label>", "a word of yours, to find them by")
    .option("--stopped", "do not begin yet: everseed start begins")
    .option("--first", "before all others in the queue")
    .option(...SYSTEM_OPTION)
    .action((sources: readonly string[], flags: AddFlags) =>
      runCommand(flags, (run) => add(run, sources, flags)),
    );
}

async function add(
  run: CommandRun,
  sources: readonly string[],
  flags: AddFlags,
): Promise<number | void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  const options: AddOptions = {
    folder: flags.out,
    label: flags.label,
    stopped: flags.stopped,
    first: flags.first,
  };
  let refused = 0;
  for (const source of sources) {
    for await (const outcome of client.add(source, options)) {
      if (outcome.kind === "refused") {
        refused += 1;
        output.warn(`${escapeOutside(outcome.source)}: ${escapeOutside(outcome.error.detail)}`);
        continue;
      }
      const { transfer } = outcome;
      output.record(transfer);
      output.line(`Added ${transfer.id.slice(0, 8)}  ${escapeOutside(transfer.name)}`);
    }
  }
  return refused > 0 ? EXIT.failed : undefined;
}
