import type { Command } from "commander";
import type { TransferView } from "../../api/transfers.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { stateWords } from "../transfer-table.ts";
import { useTransferFeed } from "../use-transfers.ts";

/** Characters of an id, as `ls` shows at least. */
const ID_LENGTH = 8;

interface WatchFlags extends SystemFlags {
  readonly label?: string;
}

/** What happened to a transfer; `progress` is told to programs only. */
type Happening = "present" | "added" | "state" | "progress" | "removed";

export function addTransferWatchCommand(parent: Command): void {
  addCommand(parent, {
    usage: "watch",
    summary: summaryOf("watch"),
    examples: ["everseed watch", "everseed watch --json | jq -c 'select(.event == \"state\")'"],
  })
    .option("--label <label>", "those with this label only")
    .option(...SYSTEM_OPTION)
    .action((flags: WatchFlags) => runCommand(flags, (run) => watch(run, flags)));
}

async function watch(run: CommandRun, flags: WatchFlags): Promise<void> {
  const { output, signal } = run;
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { clock } = filePorts();
  const feed = await useTransferFeed(run, flags);
  /** The words for the state of each, as they were told last. */
  const told = new Map<string, string>();
  let isBeginning = true;
  const tell = (event: Happening, transfer: TransferView, words: string): void => {
    output.record({ event, ...transfer });
    if (event === "present" || event === "progress") return;
    const { id, name } = transfer;
    output.line(
      `${timeOfDay(clock.wallMs())}  ${id.slice(0, ID_LENGTH)}  ${escapeOutside(name)}  ${words}`,
    );
  };
  for await (const news of feed.follow(signal)) {
    if (news.kind === "away") {
      output.record({ event: "away" });
      output.say("The node has ended. It is asked again until it answers.");
      continue;
    }
    for (const transfer of news.changed) {
      const words = stateWords({ ...transfer, ratio: null });
      const before = told.get(transfer.id);
      told.set(transfer.id, words);
      const isNew = before === undefined ? (isBeginning ? "present" : "added") : undefined;
      tell(isNew ?? (before === words ? "progress" : "state"), transfer, words);
    }
    for (const transfer of news.removed) {
      told.delete(transfer.id);
      tell("removed", transfer, "removed");
    }
    if (isBeginning) output.say(`Following ${told.size} torrents, until Ctrl-C.`);
    isBeginning = false;
  }
}

/** `12:03:09`, where this machine is. @param wallMs - Milliseconds since 1970. */
function timeOfDay(wallMs: number): string {
  return new Date(wallMs).toTimeString().slice(0, 8);
}
