import type { Command } from "commander";
import { UsageError } from "./usage-error.ts";

/** Placeholders of words that name something on disk, or a torrent. */
const NAMES: ReadonlySet<string> = new Set(["dir", "file", "path", "source", "torrent", "id"]);

/**
 * Refuses an empty word where a name is meant: a shell makes one of a variable that is not set, and it would stand for the
 * current folder.
 *
 * @throws {UsageError}
 */
export function refuseEmptyNames(_program: Command, command: Command): void {
  for (const [index, argument] of command.registeredArguments.entries()) {
    const given: unknown = command.processedArgs[index];
    const words: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (NAMES.has(argument.name()) && words.includes("")) refuse(command, `<${argument.name()}>`);
  }
  const values = command.opts<Record<string, unknown>>();
  for (const option of command.options) {
    const placeholder = /<(.+)>/.exec(option.flags)?.[1] ?? "";
    if (!NAMES.has(placeholder) || values[option.attributeName()] !== "") continue;
    refuse(command, option.long ?? option.flags);
  }
}

function refuse(command: Command, what: string): never {
  const usage = command.createHelp().commandUsage(command);
  throw new UsageError(
    `An empty word is no value for ${what}. Usage: ${usage}`,
    "look whether the variable that stood there is set.",
  );
}
