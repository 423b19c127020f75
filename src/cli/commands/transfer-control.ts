import type { Command } from "commander";
import type { TransferClient } from "../../commands/transfer-client.ts";
import { addCommand, type CommandRun, type CommandWords, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { useTransfers } from "../use-transfers.ts";

const IDS = "ids, as short as tells them apart, or names";

interface RemoveFlags extends SystemFlags {
  readonly withContent?: boolean;
}

/** Commands for one transfer or several, which need nothing but their ids. */
export function addTransferControlCommands(parent: Command): void {
  addForEach(parent, {
    usage: "start",
    summary: summaryOf("start"),
    examples: ["everseed start 9d3c"],
    done: "Started",
    work: (client, id) => client.command(id, "start"),
  });
  addForEach(parent, {
    usage: "stop",
    summary: summaryOf("stop"),
    examples: ["everseed stop 9d3c a210"],
    done: "Stopped",
    work: (client, id) => client.command(id, "stop"),
  });
  addForEach(parent, {
    usage: "recheck",
    summary: summaryOf("recheck"),
    examples: ["everseed recheck 9d3c"],
    done: "Checking",
    work: (client, id) => client.command(id, "recheck"),
  });
  addCommand(parent, {
    usage: "rm",
    summary: summaryOf("rm"),
    examples: ["everseed rm 9d3c", "everseed rm 9d3c --with-content"],
  })
    .argument("<id...>", IDS)
    .option("--with-content", "delete their files too")
    .option(...SYSTEM_OPTION)
    .action((ids: readonly string[], flags: RemoveFlags) =>
      runCommand(flags, (run) =>
        forEach(run, ids, flags, {
          done: flags.withContent ? "Removed with its files" : "Removed",
          work: (client, id) => client.remove(id, flags.withContent ?? false),
        }),
      ),
    );
  addCommand(parent, {
    usage: "move",
    summary: summaryOf("move"),
    examples: ["everseed move 9d3c /mnt/archive"],
  })
    .argument("<id>", "an id, as short as tells it apart, or a name")
    .argument("<dir>", "the folder")
    .option(...SYSTEM_OPTION)
    .action((id: string, folder: string, flags: SystemFlags) =>
      runCommand(flags, (run) =>
        forEach(run, [id], flags, {
          done: "Moving",
          work: async (client) => void (await client.move(id, folder)),
        }),
      ),
    );
}

interface Work {
  /** For people, before the id. */
  readonly done: string;
  readonly work: (client: TransferClient, id: string) => Promise<void>;
}

function addForEach(parent: Command, words: CommandWords & Work): void {
  addCommand(parent, words)
    .argument("<id...>", IDS)
    .option(...SYSTEM_OPTION)
    .action((ids: readonly string[], flags: SystemFlags) =>
      runCommand(flags, (run) => forEach(run, ids, flags, words)),
    );
}

async function forEach(
  run: CommandRun,
  ids: readonly string[],
  flags: SystemFlags,
  { done, work }: Work,
): Promise<void> {
  const client = await useTransfers(run, flags);
  for (const id of ids) {
    await work(client, id);
    run.output.record({ id, done: true });
    run.output.line(`${done}  ${id}`);
  }
}
