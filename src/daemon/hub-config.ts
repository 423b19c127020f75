import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { offerSettings, readSettings } from "../commands/hub-settings.ts";
import { configTemplate } from "../config/config-template.ts";
import type { Config, ConfigInput } from "../config/config.ts";
import { dataFolderOf } from "../config/data-folder.ts";
import { type KeyOrigin, loadConfig, originsOf } from "../config/load-config.ts";
import { CONFIG_FILE_NAME } from "../config/places.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";

export interface HubConfigSources {
  /** The configuration file; `everseed.yaml` in the data folder when absent. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the wait for a file that is a pipe. */
  readonly signal?: AbortSignal | undefined;
  /** From the command line. */
  readonly overrides: ConfigInput;
}

export interface HubConfig {
  /** `dataDir` is filled in and absolute. */
  readonly config: Config;
  /** The origin of each key; keys that nobody gave are absent. */
  readonly origins: ReadonlyMap<string, KeyOrigin>;
  /** The path of the file, which may not exist yet. */
  readonly file: string;
}

/**
 * Loads a hub's settings.
 *
 * @throws {ConfigError} For what is in the file or the variables; {CommandError} as `readSettings`.
 */
export async function loadHubConfig(sources: HubConfigSources): Promise<HubConfig> {
  const { env, overrides, signal } = sources;
  const dataDir = dataFolderOf({ option: overrides.dataDir, env, home: homedir() });
  const path = sources.file ?? join(dataDir, CONFIG_FILE_NAME);
  const isAskedFor = sources.file !== undefined;
  const text = await readSettings(new NodeUserFiles(), { path, isAskedFor, signal });
  const file = text === undefined ? undefined : { path, text };
  const config = loadConfig({ file, env, overrides });
  return {
    config: { ...config, dataDir: resolve(config.dataDir || dataDir) },
    origins: originsOf({ file, env, overrides }),
    file: resolve(path),
  };
}

/** @throws {CommandError} (rejects) As `offerSettings`. */
export function offerConfigFile(path: string): Promise<void> {
  return offerSettings(new NodeUserFiles(), path, configTemplate());
}
