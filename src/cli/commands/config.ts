import type { Command } from "commander";
import type { ConfigTarget, ValueGiven } from "../../daemon/config-target.ts";
import {
  addCommand,
  addGroup,
  type CommandRun,
  type GroupWords,
  runCommand,
} from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { editConfig, tellEffect } from "./config-edit.ts";

interface ConfigFlags extends SystemFlags {
  readonly data?: string;
}

const WORDS: GroupWords = {
  name: "config",
  summary: summaryOf("config"),
  examples: ["everseed config get", "everseed config set engine.port 6881"],
};

export function addConfigCommand(program: Command): void {
  addGroup(program, WORDS, addConfigCommands);
}

function addConfigCommands(config: Command): void {
  add(config, "get", "Show a value and who gave it; without a key, all of them.", "engine.port")
    .argument("[key]", "as in the file: engine.port")
    .action((key: string | undefined, flags: ConfigFlags) =>
      runCommand(flags, (run) => get(run, flags, key)),
    );
  add(
    config,
    "set",
    "Change a value in the file; the rest of it stays as it is.",
    "engine.port 6881",
  )
    .argument("<key>", "as in the file: engine.port")
    .argument("[value...]", "several for a list; none takes the key out of the file")
    .action((key: string, values: readonly string[], flags: ConfigFlags) =>
      runCommand(flags, (run) => set(run, flags, { name: key, values })),
    );
  add(
    config,
    "edit",
    "Open the file in $VISUAL or $EDITOR, and check it before it counts.",
    "",
  ).action((flags: ConfigFlags) =>
    runCommand(flags, async (run) => editConfig(run, await target(flags))),
  );
  add(config, "path", "Print where the file is.", "").action((flags: ConfigFlags) =>
    runCommand(flags, (run) => path(run, flags)),
  );
  add(config, "check", "Check the file: wrong keys and values by line.", "").action(
    (flags: ConfigFlags) => runCommand(flags, (run) => check(run, flags)),
  );
}

function add(config: Command, usage: string, summary: string, example: string): Command {
  const line = `everseed config ${usage} ${example}`.trimEnd();
  return addCommand(config, { usage, summary, examples: [line] })
    .option("--data <dir>", "those of the hub in this data folder")
    .option(...SYSTEM_OPTION);
}

async function target({ data, system = false }: ConfigFlags): Promise<ConfigTarget> {
  const { configTarget } = await import("../../daemon/config-target.ts");
  return configTarget(data, system);
}

async function get({ output }: CommandRun, flags: ConfigFlags, name?: string): Promise<void> {
  const { keyNamed, valuesGiven } = await import("../../daemon/config-target.ts");
  if (name !== undefined) keyNamed(name);
  const all = await valuesGiven(await target(flags));
  for (const given of all) {
    if (name === undefined) tellRow(output, given);
    else if (given.key === name) tellValue(output, given);
  }
}

const KEY_WIDTH = 30;

function tellRow(output: Output, given: ValueGiven): void {
  output.record(given);
  const value = escapeOutside(inWords(given.value));
  output.line(
    `${given.key.padEnd(KEY_WIDTH)} ${value}${given.origin === "default" ? "" : `  (${giver(given)})`}`,
  );
}

function tellValue(output: Output, given: ValueGiven): void {
  output.record(given);
  output.line(escapeOutside(inWords(given.value)));
  output.say(escapeOutside(`from ${giver(given)}`));
}

function giver({ origin, where }: ValueGiven): string {
  switch (origin) {
    case "file":
      return where ?? "the file";
    case "variable":
      return `the variable ${where}`;
    case "page":
      return "the page Connections";
    case "command-line":
      return "the command line";
    case "default":
      return "its default";
  }
}

function inWords(value: unknown): string {
  if (value === null) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function set(
  run: CommandRun,
  flags: ConfigFlags,
  { name, values }: { readonly name: string; readonly values: readonly string[] },
): Promise<void> {
  const daemon = await import("../../daemon/config-target.ts");
  const { readValue } = await import("../../config/setting-text.ts");
  const { withSetting } = await import("../../config/edit-settings.ts");
  const key = daemon.keyNamed(name);
  const at = await target(flags);
  const before = (await daemon.readConfigText(at)) ?? daemon.newConfigText(at);
  // A fault that is in the file already would be blamed on this change.
  daemon.checkConfigText(at, before);
  const value = key.kind === "list" && values.length > 1 ? [...values] : values.join(" ");
  const wanted =
    values.length === 0 ? undefined : typeof value === "string" ? readValue(key, value) : value;
  const after = withSetting(before, key.path, wanted);
  daemon.checkConfigText(at, after);
  if (after !== before) await daemon.writeConfigText(at, after);
  run.output.detail(`in ${escapeOutside(at.file)}`);
  await tellEffect(run, at, { [name]: wanted ?? null });
  if (process.env[key.variable]) {
    run.output.warn(`the variable ${key.variable} is set, and wins over the file where it is`);
  }
}

async function path({ output }: CommandRun, flags: ConfigFlags): Promise<void> {
  const { existsSync } = await import("node:fs");
  const { file } = await target(flags);
  output.record({ path: file, exists: existsSync(file) });
  output.line(escapeOutside(file));
}

async function check({ output }: CommandRun, flags: ConfigFlags): Promise<void> {
  const { checkConfigText, readConfigText } = await import("../../daemon/config-target.ts");
  const at = await target(flags);
  const text = await readConfigText(at);
  if (text !== undefined) checkConfigText(at, text);
  output.record({ path: at.file, exists: text !== undefined });
  output.line(
    text === undefined
      ? `There is no ${escapeOutside(at.file)}: the defaults hold.`
      : `${escapeOutside(at.file)} can be used.`,
  );
}
