import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";

/** `everseed help hub start` is `everseed hub start --help`. */
export function addHelpCommand(program: Command): void {
  program
    .command("help")
    .description("Show how to use a command.")
    .argument("[command...]", "its name, such as get, or hub start")
    .action((words: readonly string[]) => {
      let command = program;
      for (const word of words) {
        const next = command.commands.find((child) => child.name() === word);
        if (!next) {
          const known = command.commands.map((child) => child.name()).join(", ");
          const hint =
            known === "" ? `${command.name()} has no commands of its own.` : `Known are ${known}.`;
          throw new UsageError(
            `There is no command "${words.join(" ")}". ${hint}`,
            "everseed help",
          );
        }
        command = next;
      }
      command.outputHelp();
    });
}
