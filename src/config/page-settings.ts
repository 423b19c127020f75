import type { Config } from "./config.ts";
import { CONFIG_KEYS, type ConfigKey } from "./config-keys.ts";
import { type KeyOrigin, valueAt, withValueAt } from "./load-config.ts";
import { REACH_KEYS, type ReachKey } from "./reach-keys.ts";

export type PageValue = string | number | boolean | readonly string[];

/** A key of the page with its place in the settings. */
export interface PageKey extends ReachKey {
  readonly setting: ConfigKey;
}

/** The keys of the page "Connections", in the order in which they stand there. */
export const PAGE_KEYS: readonly PageKey[] = REACH_KEYS.map((key) => {
  const setting = CONFIG_KEYS.find(({ path }) => path.join(".") === key.name);
  if (!setting) throw new Error(`reach-keys.ts names ${key.name}, which is no key`);
  return { ...key, setting };
});

/**
 * The settings, with what the page stored for keys that neither the command line nor a variable nor the file gives.
 *
 * @param onRefused - Called for a stored value that this version does not take: the default holds then.
 */
export function withPageValues(
  config: Config,
  given: {
    readonly origins: ReadonlyMap<string, KeyOrigin>;
    readonly stored: Readonly<Record<string, PageValue>>;
    readonly onRefused: (name: string) => void;
  },
): Config {
  let settings = config;
  for (const { name, setting } of PAGE_KEYS) {
    const value = given.stored[name];
    if (value === undefined || given.origins.has(name)) continue;
    if (setting.takesValue(value)) settings = withValueAt(settings, setting.path, value);
    else given.onRefused(name);
  }
  return settings;
}

/** @returns The value of a page's key in the settings; `undefined` when it has none. */
export function pageValueOf(config: Config, { setting }: PageKey): PageValue | undefined {
  return valueAt(config, setting.path) as PageValue | undefined;
}
