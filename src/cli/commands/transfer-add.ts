import type { Command } from "commander";
import type { CommandError } from "../../commands/command-error.ts";
import type { AddOptions } from "../../commands/transfer-client.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { EXIT } from "../exit-code.ts";
import { escapeOutside } from "../outside-text.ts";
import { collect, limitOption, NONE_RATE, trackerOption } from "../parse-options.ts";
import {
  hasShareLimits,
  type ShareFlags,
  shareLimitsOf,
  withShareLimits,
} from "../share-options.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { useTransfers } from "../use-transfers.ts";

interface AddFlags extends SystemFlags, ShareFlags {
  readonly out?: string;
  readonly label?: string;
  readonly stopped?: boolean;
  readonly first?: boolean;
  readonly select?: readonly string[];
  readonly sequential?: boolean;
  readonly endsFirst?: boolean;
  readonly down?: number;
  readonly up?: number;
  readonly tracker?: readonly string[];
  readonly peer?: readonly string[];
  readonly merge?: boolean;
}

export function addTransferAddCommand(parent: Command): void {
  const command = addCommand(parent, {
    usage: "add",
    summary: summaryOf("add"),
    examples: [
      "everseed add 'magnet:?xt=urn:btih:...'",
      "everseed add talks.torrent -o /srv/films --label films --select '*.webm'",
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
    .option("--select <glob>", "only files that match; repeat for more", collect)
    .option("--sequential", "fetch files from beginning to end")
    .option("--ends-first", "fetch first and last pieces of files first")
    .option("--down <rate>", `receive no faster, ${NONE_RATE}`, limitOption)
    .option("--up <rate>", `send no faster, ${NONE_RATE}`, limitOption)
    .option("--tracker <url>", "one more tracker to ask; repeat for more", trackerOption)
    .option("--peer <address>", "a peer to ask first, with its port; repeat for more", collect)
    .option("--merge", "give one that is here already the new trackers");
  withShareLimits(command)
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
    select: flags.select && [...flags.select],
    sequential: flags.sequential,
    firstAndLast: flags.endsFirst,
    downLimit: flags.down,
    upLimit: flags.up,
    shareLimits: hasShareLimits(flags) ? shareLimitsOf(flags) : undefined,
    trackers: flags.tracker && [...flags.tracker],
    peers: flags.peer && [...flags.peer],
    merge: flags.merge,
  };
  const refused: CommandError[] = [];
  for (const source of sources) {
    for await (const outcome of client.add(source, options)) {
      if (outcome.kind === "refused") {
        refused.push(outcome.error);
        output.warn(`${escapeOutside(outcome.source)}: ${escapeOutside(outcome.error.detail)}`);
        continue;
      }
      const { transfer } = outcome;
      output.record(transfer);
      output.line(`Added ${transfer.id.slice(0, 8)}  ${escapeOutside(transfer.name)}`);
    }
  }
  if (refused.length === 0) return undefined;
  return refused.every(({ code }) => code === "exists") ? EXIT.conflict : EXIT.failed;
}
