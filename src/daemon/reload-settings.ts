import type { SettingsReload } from "../api/node.ts";
import { CommandError } from "../commands/command-error.ts";
import { ConfigError } from "../config/config-error.ts";
import type { SettingsRefusal } from "../hub/control-parts.ts";
import type { HubConfig } from "./hub-config.ts";
import type { ReachSettings } from "./reach-settings.ts";

/** Reads the settings as at the start. */
export type LoadSettings = () => Promise<Pick<HubConfig, "config" | "origins">>;

/** Reads the configuration again; a fault in it changes nothing of what runs. */
export async function reloadSettings(
  settings: ReachSettings,
  load: LoadSettings | undefined,
): Promise<SettingsReload | SettingsRefusal> {
  if (!load) return { refused: "This program was started without a file.", hint: "restart it." };
  try {
    return settings.adopt(await load());
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof CommandError)) throw error;
    return { refused: error.detail, hint: error.hint ?? "correct the file." };
  }
}
