import { Command, CommanderError } from "commander";
import { VERSION } from "../base/version.ts";
import { exampleText, failWith } from "./command-frame.ts";
import { addListedCommands } from "./command-modules.ts";
import { addHelpCommand } from "./commands/help.ts";
import { refuseEmptyNames } from "./refuse-empty.ts";
import { HELP_OUTPUT } from "./standard-streams.ts";
import { UsageError } from "./usage-error.ts";
import { withLongFlags } from "./vtorrent-flags.ts";

const EXAMPLES = [
  "everseed hub start            a web site, a tracker and an everseed, here",
  "everseed get talks.torrent    download a torrent",
  "everseed add talks.torrent    the same by a node: see everseed daemon --help",
  "everseed create talks/        make a torrent",
];

/** @param asked - The words of the command line: of commands that they do not name only the line of the list is there. */
export async function createProgram(asked?: readonly string[]): Promise<Command> {
  const program = new Command("everseed")
    .description("Publish, track, seed and fetch torrents.")
    .addHelpText("before", exampleText(EXAMPLES))
    .version(VERSION, "-V, --version", "show which everseed this is")
    .enablePositionalOptions()
    .helpCommand(false)
    .hook("preAction", refuseEmptyNames)
    // Commands take these over when they are made.
    .helpOption("-h, --help", "show this help")
    .exitOverride()
    .configureOutput({ ...HELP_OUTPUT, outputError: () => undefined });
  await addListedCommands(program, asked);
  addHelpCommand(program);
  return program;
}

/** Runs the command line. Sets `process.exitCode`. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = await createProgram(args);
  try {
    await program.parseAsync(withLongFlags(args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    // No command was given: commander has printed the help on stderr.
    if (error.code === "commander.help") {
      process.exitCode = 2;
      return;
    }
    process.exitCode = failWith(toUsageError(error, program, args), args.includes("--json"));
  }
}

function toUsageError(
  error: CommanderError,
  program: Command,
  args: readonly string[],
): UsageError {
  const [first = "", second = ""] = error.message.split("\n");
  const what = first
    .replace(/^error: /, "")
    .replaceAll("'", '"')
    .replace(
      /^option "(?:-\w, )?(--[\w-]+)[^"]*" argument (".*") is invalid\./,
      "$2 is no value for $1.",
    );
  const meant = /Did you mean (?:one of )?([^,?]+)/.exec(second)?.[1];
  const command = commandOf(program, args);
  const name = nameOf(command);
  const usage = command.createHelp().commandUsage(command);
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, "")}.`;
  const prefix = name === "" ? "everseed" : `everseed ${name}`;
  const help = `${prefix} --help`;
  if (meant === undefined) return new UsageError(`${sentence} Usage: ${usage}`, help);
  const whole = meant.startsWith("-") ? meant : `${prefix} ${meant}`;
  return new UsageError(`${sentence} Usage: ${usage}`, `${whole}, if that was meant, or ${help}`);
}

/** The command whose options and arguments were being parsed. */
function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const word of args) {
    const next = command.commands.find((child) => child.name() === word);
    if (!next) break;
    command = next;
  }
  return command;
}

function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at = command; at.parent; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}
