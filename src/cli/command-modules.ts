import type { Command } from "commander";
import { type CommandName, COMMANDS, type ListedCommand } from "./command-list.ts";

/** Adds commands whose names stand in the list. */
type AddCommands = (program: Command) => void;

/** Where the commands are, in the order of the list. */
const MODULES: readonly {
  readonly names: readonly CommandName[];
  readonly load: () => Promise<AddCommands>;
}[] = [
  { names: ["hub"], load: async () => (await import("./commands/hub.ts")).addHubCommand },
  { names: ["daemon"], load: async () => (await import("./commands/daemon.ts")).addDaemonCommand },
  { names: ["config"], load: async () => (await import("./commands/config.ts")).addConfigCommand },
  {
    names: ["add"],
    load: async () => (await import("./commands/transfer-add.ts")).addTransferAddCommand,
  },
  {
    names: ["ls"],
    load: async () => (await import("./commands/transfer-list.ts")).addTransferListCommand,
  },
  {
    names: ["watch"],
    load: async () => (await import("./commands/transfer-watch.ts")).addTransferWatchCommand,
  },
  {
    names: ["start", "stop", "recheck", "rm", "move"],
    load: async () => (await import("./commands/transfer-control.ts")).addTransferControlCommands,
  },
  {
    names: ["set", "limits"],
    load: async () => (await import("./commands/transfer-set.ts")).addTransferSetCommands,
  },
  {
    names: ["files", "peers", "trackers"],
    load: async () => (await import("./commands/transfer-parts.ts")).addTransferPartCommands,
  },
  {
    names: ["transfers"],
    load: async () => (await import("./commands/transfers.ts")).addTransfersCommand,
  },
  {
    names: ["publish"],
    load: async () => (await import("./commands/publish.ts")).addPublishCommand,
  },
  {
    names: ["unpublish"],
    load: async () => (await import("./commands/unpublish.ts")).addUnpublishCommand,
  },
  { names: ["create"], load: async () => (await import("./commands/create.ts")).addCreateCommand },
  { names: ["get"], load: async () => (await import("./commands/get.ts")).addGetCommand },
  { names: ["follow"], load: async () => (await import("./commands/follow.ts")).addFollowCommand },
  { names: ["seed"], load: async () => (await import("./commands/seed.ts")).addSeedCommand },
  { names: ["show"], load: async () => (await import("./commands/show.ts")).addShowCommand },
  { names: ["check"], load: async () => (await import("./commands/check.ts")).addCheckCommand },
  { names: ["dht"], load: async () => (await import("./commands/dht.ts")).addDhtCommand },
  { names: ["doctor"], load: async () => (await import("./commands/doctor.ts")).addDoctorCommand },
  {
    names: ["completion"],
    load: async () => (await import("./commands/completion.ts")).addCompletionCommand,
  },
  {
    names: ["version"],
    load: async () => (await import("./commands/version.ts")).addVersionCommand,
  },
  {
    names: ["vtorrent"],
    load: async () => (await import("./commands/vtorrent.ts")).addVtorrentCommand,
  },
];

/**
 * Adds the commands of the list: those that the words of the command line name as they are, of the others what the list
 * shows. To load and make all of them took as long as the rest of `--help`.
 *
 * @param asked - The words of the command line; without them everything is loaded.
 */
export async function addListedCommands(
  program: Command,
  asked: readonly string[] | undefined,
): Promise<void> {
  for (const { names, load } of MODULES) {
    if (asked === undefined || names.some((name) => asked.includes(name))) (await load())(program);
    else for (const name of names) addLine(program, name);
  }
}

function addLine(program: Command, name: CommandName): void {
  const { takes = "", summary, isGroup = false, isHidden = false }: ListedCommand = COMMANDS[name];
  const line = program
    .command(`${name} ${takes}`, { hidden: isHidden })
    .description(summary)
    .helpCommand(false);
  // The list says "[options]" of a command that has any, as all have but groups.
  if (!isGroup) line.option("--json");
}
