import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { offerSettings, readSettings } from "../commands/hub-settings.ts";
import { configTemplate } from "../config/config-template.ts";
import type { ConfigInput } from "../config/config.ts";
import { loadConfig, originsOf } from "../config/load-config.ts";
import { controlSocketIn, type Places, placesOf } from "../config/places.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import type { HubConfig } from "./hub-config.ts";

/** A node's settings, and where its files are. */
export interface NodeConfig extends HubConfig {
  readonly socket: string;
  /** The lock that says which process uses the state. */
  readonly lock: string;
  /** The log of a node in the background. */
  readonly logFile: string;
}

/** @returns Where the files of a node are, by the environment of this process. */
export function nodePlaces(isSystem: boolean): Places {
  return placesOf({ env: process.env, home: homedir(), here: process.cwd(), isSystem });
}

/**
 * Loads a node's settings.
 *
 * @throws {ConfigError} (rejects) For what is in the file or the variables; {CommandError} as `readSettings`.
 */
export async function loadNodeConfig(
  isSystem: boolean,
  overrides: ConfigInput = {},
): Promise<NodeConfig> {
  const places = nodePlaces(isSystem);
  const path = places.configFile;
  const text = await readSettings(new NodeUserFiles(), { path, isAskedFor: false });
  const file = text === undefined ? undefined : { path, text };
  const sources = { preset: "node", file, env: process.env, overrides } as const;
  const config = loadConfig(sources);
  const dataDir = resolve(config.dataDir || places.stateDir);
  return {
    config: { ...config, dataDir },
    origins: originsOf(sources),
    file: path,
    socket: controlSocketIn(places.runtimeDir),
    lock: lockOf(dataDir),
    logFile: join(dataDir, "log", "everseed.log"),
  };
}

/** The lock of a state folder. It holds the process that uses it. */
export function lockOf(dataDir: string): string {
  return join(dataDir, "lock");
}

/** Puts the commented template where a person will look for it, unless something is there. */
export async function offerNodeConfig(path: string): Promise<void> {
  await new NodeFiles().makeFolder(dirname(path));
  await offerSettings(new NodeUserFiles(), path, configTemplate("node"));
}
