import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";

/** `everseed help hub start` is `everseed hub start --help`. */
export function addHelpCommand(program: Command): void {
  program
    .command("help")
    .description("Show how a command is used.")
    .argument("[command...]", "its name, such as get, or hub start")
    .action((words: readonly string[]) => {
      let command = program;
      for (const word of words) {
        const next = command.commands.find((child) => child.name() === word);
        if (!next) {
          const known = command.commands.map((child) => child.name()).join(", ");
          throw new UsageError(
            `There is no command "${words.join(" ")}". Known are ${known}.`,
            "everseed help",
          );
        }
        command = next;
      }
      command.outputHelp();
    });
}
