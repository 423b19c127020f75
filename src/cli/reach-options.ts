import { type Command, InvalidArgumentError, Option } from "commander";
import { REACH_KEYS, type ReachControl, type ReachKey } from "../config/reach-keys.ts";
import { collect, peerOption, rateOption } from "./parse-options.ts";

/** Adds a flag for each key of the page "Connections". */
export function addReachOptions(command: Command): Command {
  for (const key of REACH_KEYS) command.addOption(optionOf(key));
  return command;
}

/**
 * The values of these flags as settings.
 *
 * @param flags - All flags of the command, by commander's names.
 */
export function reachOverrides(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const key of REACH_KEYS) {
    const value = flags[optionOf(key).attributeName()];
    if (value === undefined) continue;
    const path = key.name.split(".");
    const name = path.pop()!;
    let section = settings;
    for (const part of path) section = (section[part] ??= {}) as Record<string, unknown>;
    section[name] = value;
  }
  return settings;
}

function optionOf({ name, flag: [usage, help], control }: ReachKey): Option {
  const option = new Option(usage, help);
  switch (control.kind) {
    case "choice":
      return option.choices(control.choices.map(({ value }) => value));
    case "switch":
      return option.argParser(switchOption);
    case "rate":
      return option.argParser(rateOption);
    case "count":
      return option.argParser((text) => countOption(text, control));
    case "list":
      return option.argParser(name === "discovery.dhtBootstrap" ? nodeOption : collect);
    case "text":
      return option;
  }
}

function nodeOption(text: string, before?: readonly string[]): readonly string[] {
  peerOption(text);
  return collect(text, before);
}

function switchOption(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new InvalidArgumentError("It takes on or off.");
}

function countOption(text: string, { min, max }: ReachControl & { kind: "count" }): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`);
}
