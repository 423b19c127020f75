import { stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Config, ConfigInput } from "../config/config.ts";
import { dataFolderOf } from "../config/data-folder.ts";
import { configTemplate } from "../config/config-template.ts";
import { CONFIG_FILE_NAME, loadConfig } from "../config/load-config.ts";
import { readBounded } from "../platform/bounded-file.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "../commands/command-error.ts";

/** The largest settings file, which people write by hand. */
const CONFIG_BYTES_MAX = 1024 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

export interface HubConfigSources {
  /** The configuration file; `everseed.yaml` in the data folder when absent. */
  readonly file: string | undefined;
  readonly env: Env;
  /** Cancels the wait for a file that is a pipe. */
  readonly signal?: AbortSignal | undefined;
  /** Settings from the command line. */
  readonly overrides: ConfigInput;
}

/**
 * Loads a hub's settings, with an absolute `dataDir` filled in.
 *
 * @returns The settings and the path of the file, which may not exist yet.
 * @throws {ConfigError} For errors in the file or the variables; {CommandError} `not-found` for a
 * file that was named, `not-readable`.
 */
export async function loadHubConfig(
  sources: HubConfigSources,
): Promise<{ config: Config; file: string }> {
  const { env, overrides } = sources;
  const dataDir = dataFolderOf({ option: overrides.dataDir, env, home: homedir() });
  const path = sources.file ?? join(dataDir, CONFIG_FILE_NAME);
  const text = await readIfThere(path, sources.signal);
  if (text === undefined && sources.file !== undefined) {
    throw new CommandError("not-found", `Cannot read ${path}. There is no such file.`, {
      subject: path,
      hint: "check the spelling, or leave --config out.",
    });
  }
  const file = text === undefined ? undefined : { path, text };
  const config = loadConfig({ file, env, overrides });
  return {
    config: { ...config, dataDir: resolve(config.dataDir || dataDir) },
    file: resolve(path),
  };
}

/** Writes the commented template where users look for it, unless a file exists there. */
export async function offerConfigFile(path: string): Promise<void> {
  try {
    await writeFile(path, configTemplate(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw diskTrouble(error, `write ${path}`, path);
  }
}

/** What a user should know about a data folder before a hub uses it. */
export interface DataFolderFacts {
  /** The folder does not exist yet. */
  readonly isNew: boolean;
  /** Other users of this machine can read it. */
  readonly openToOthers: boolean;
}

/** @param dataDir - Absolute. */
export async function lookAtDataFolder(dataDir: string): Promise<DataFolderFacts> {
  try {
    const facts = await stat(dataDir);
    return { isNew: false, openToOthers: facts.isDirectory() && (facts.mode & 0o077) !== 0 };
  } catch (error) {
    // Opening the folder reports what is wrong with it.
    if (systemCode(error) === undefined) throw error;
    return { isNew: true, openToOthers: false };
  }
}

async function readIfThere(path: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const text = await readBounded(path, CONFIG_BYTES_MAX, signal);
    if (text) return text.toString("utf8");
  } catch (error) {
    signal?.throwIfAborted();
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw diskTrouble(error, `read ${path}`, path);
  }
  throw new CommandError(
    "bad-plan",
    `${path} holds no settings. It is larger than ${CONFIG_BYTES_MAX} bytes.`,
    {
      subject: path,
      hint: "another file with --config, or leave it out.",
    },
  );
}
