import { type Command, Option } from "commander";
import { describeFailure, renderFailure } from "./failure.ts";
import { EXIT } from "./exit-code.ts";
import { Interruption } from "./interruption.ts";
import { Output, type OutputOptions } from "./output.ts";
import { standardStream } from "./standard-streams.ts";

/** What a command works with. */
export interface CommandRun {
  readonly output: Output;
  /** Aborted when the person wants the command to end. */
  readonly signal: AbortSignal;
}

/** The texts of a command's help. */
export interface CommandWords {
  /** `get <torrent>`, in commander's notation. */
  readonly usage: string;
  readonly summary: string;
  /** Complete command lines; the help begins with them. */
  readonly examples: readonly string[];
  /** The list of all commands leaves it out. */
  readonly isHidden?: boolean;
}

/** Adds a command with the options all commands have. */
export function addCommand(parent: Command, words: CommandWords): Command {
  const command = parent
    .command(words.usage, { hidden: words.isHidden ?? false })
    .description(words.summary);
  command
    .addHelpText("before", exampleText(words.examples))
    .option("--json", "print the result as JSON, one object or one per line")
    .option("-q, --quiet", "no words, no progress")
    .option("-v, --verbose", "more words")
    .addOption(
      new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"),
    )
    .addOption(
      new Option("--progress <how>", "progress on stderr")
        .choices(["auto", "plain", "none"])
        .default("auto"),
    );
  return command;
}

/** The name of a command that has commands of its own, and the texts of its help. */
export interface GroupWords {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly string[];
  /** The list of all commands leaves it out. */
  readonly isHidden?: boolean;
}

/** Adds a command that has commands of its own. @param addCommands - Adds those. */
export function addGroup(
  program: Command,
  { name, summary, examples, isHidden = false }: GroupWords,
  addCommands: (group: Command) => void,
): void {
  const group = program
    .command(name, { hidden: isHidden })
    .description(summary)
    .addHelpText("before", exampleText(examples))
    .helpCommand(false);
  addCommands(group);
}

/** The top of a help text. */
export function exampleText(examples: readonly string[]): string {
  const head = examples.length === 1 ? "Example:" : "Examples:";
  return `${[head, ...examples.map((example) => `  ${example}`)].join("\n")}\n`;
}

/**
 * Runs a command: makes its output, passes signals on, and turns any exception into one clear error and an exit code.
 *
 * @param work - Resolves with the exit code when it is not 0.
 */
export async function runCommand(
  options: OutputOptions,
  work: (run: CommandRun) => Promise<number | void>,
): Promise<void> {
  const output = new Output(options, {
    stdout: standardStream("stdout"),
    stderr: standardStream("stderr"),
    env: process.env,
  });
  const interruption = new Interruption(() =>
    output.say("Stopping. Interrupt again to stop at once."),
  );
  try {
    const exit = await work({ output, signal: interruption.signal });
    process.exitCode = exit ?? EXIT.done;
  } catch (error) {
    output.progress.clear();
    // An exception during a stop is how the command stops.
    process.exitCode = interruption.exit ?? failWith(error, output.json);
  } finally {
    output.progress.clear();
    interruption.close();
  }
}

/** Prints an error on stderr. @returns Its exit code. */
export function failWith(error: unknown, json: boolean): number {
  const failure = describeFailure(error);
  standardStream("stderr").write(renderFailure(failure, json));
  if (process.env["EVERSEED_DEBUG"] === "1" && error instanceof Error) {
    standardStream("stderr").write(`${stackOf(error)}\n`);
  }
  return failure.exit;
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
