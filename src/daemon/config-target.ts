import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { diskTrouble } from "../commands/command-error.ts";
import { HUB_DATABASE } from "../commands/hub-folder.ts";
import { readSettings } from "../commands/hub-settings.ts";
import type { Config } from "../config/config.ts";
import type { ConfigKey } from "../config/config-keys.ts";
import { CONFIG_KEYS } from "../config/config-keys.ts";
import { ConfigError } from "../config/config-error.ts";
import { configTemplate } from "../config/config-template.ts";
import { type KeyOrigin, loadConfig, originsOf, valueAt } from "../config/load-config.ts";
import { nearest } from "../config/nearest.ts";
import { type PageValue, withPageValues } from "../config/page-settings.ts";
import { CONFIG_FILE_NAME, controlSocketIn, runtimeIn } from "../config/places.ts";
import type { Preset } from "../config/presets.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { replaceFile } from "../platform/replace-file.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { openAccountsBeside } from "./hub-state.ts";
import { nodePlaces } from "./node-config.ts";

/** The configuration file of a node, or of the hub in a folder, and its program's socket. */
export interface ConfigTarget {
  readonly preset: Preset;
  /** Absolute; it need not exist. */
  readonly file: string;
  readonly socket: string;
  /** The state, unless the file says otherwise. */
  readonly dataDir: string;
}

/** @param hubFolder - The data folder of a hub; without it the node is meant. */
export function configTarget(hubFolder: string | undefined, isSystem: boolean): ConfigTarget {
  if (hubFolder !== undefined) {
    const dataDir = resolve(hubFolder);
    return {
      preset: "hub",
      file: join(dataDir, CONFIG_FILE_NAME),
      socket: controlSocketIn(runtimeIn(dataDir)),
      dataDir,
    };
  }
  const { configFile, runtimeDir, stateDir } = nodePlaces(isSystem);
  return {
    preset: "node",
    file: configFile,
    socket: controlSocketIn(runtimeDir),
    dataDir: stateDir,
  };
}

/**
 * @returns The text of the file; `undefined` when there is none.
 * @throws {CommandError} (rejects) As `readSettings`.
 */
export function readConfigText({ file: path }: ConfigTarget): Promise<string | undefined> {
  return readSettings(new NodeUserFiles(), { path, isAskedFor: false });
}

/** The text to begin with where there is no file. */
export function newConfigText({ preset }: ConfigTarget): string {
  return configTemplate(preset);
}

/** @throws {ConfigError} With file, line and allowed values, when a program could not start with this text. */
export function checkConfigText({ preset, file }: ConfigTarget, text: string): void {
  loadConfig({ preset, file: { path: file, text }, env: {}, overrides: {} });
}

/** @throws {CommandError} (rejects) The file is as it was then. */
export async function writeConfigText({ file }: ConfigTarget, text: string): Promise<void> {
  try {
    await replaceFile(file, text);
  } catch (error) {
    throw diskTrouble(error, `write ${file}`, file);
  }
}

/** @throws {ConfigError} `unknown-key`, naming the nearest one. */
export function keyNamed(name: string): ConfigKey {
  const names = CONFIG_KEYS.map(({ path }) => path.join("."));
  const at = names.indexOf(name);
  if (at >= 0) return CONFIG_KEYS[at]!;
  const meant = nearest(name, names) ?? names.find((each) => each.endsWith(`.${name}`));
  throw new ConfigError(
    "unknown-key",
    `There is no key "${name}".`,
    meant === undefined ? "everseed config get shows all." : `write "${meant}" if that was meant.`,
  );
}

/** A key's value, and who gave it. */
export interface ValueGiven {
  readonly key: string;
  /** `null` when there is none. */
  readonly value: unknown;
  readonly origin: KeyOrigin;
  /** The file or the variable; `null` for the others. */
  readonly where: string | null;
}

/**
 * The values with which the program would start now.
 *
 * @throws {ConfigError} For what is in the file or the variables; {CommandError} as `readSettings`.
 */
export async function valuesGiven(target: ConfigTarget): Promise<ValueGiven[]> {
  const text = await readConfigText(target);
  const file = text === undefined ? undefined : { path: target.file, text };
  const sources = { preset: target.preset, file, env: process.env, overrides: {} };
  const asked = loadConfig(sources);
  const origins = originsOf(sources);
  const dataDir = target.preset === "hub" ? target.dataDir : asked.dataDir || target.dataDir;
  const stored = await pageValues(resolve(dataDir));
  const config: Config = withPageValues(
    { ...asked, dataDir },
    { origins, stored, onRefused: () => undefined },
  );
  return CONFIG_KEYS.map(({ path, variable }) => {
    const key = path.join(".");
    const origin = origins.get(key) ?? (stored[key] === undefined ? "default" : "page");
    const where = origin === "file" ? target.file : origin === "variable" ? variable : null;
    return { key, value: valueAt(config, path) ?? null, origin, where };
  });
}

/** What the page "Connections" stored, also while the program runs. */
async function pageValues(dataDir: string): Promise<Readonly<Record<string, PageValue>>> {
  if (!existsSync(join(dataDir, HUB_DATABASE))) return {};
  const world = { clock: new NodeClock(), random: new NodeRandom(), log: SILENT_LOG };
  const opened = await openAccountsBeside(dataDir, world);
  try {
    return (await opened.store.settings.get("reach")) ?? {};
  } finally {
    await opened.close();
  }
}
