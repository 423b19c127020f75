import type { SettingsTable } from "../store/settings.ts";
import type { WatchFolder } from "./watch-folder.ts";
import type { ShareLimits } from "./transfer-choices.ts";

/** Rates in bytes a second; 0: no limit. */
export interface Rates {
  readonly down: number;
  readonly up: number;
}

/** When the alternative rates hold. A span that ends before it begins goes on into the next day. */
export interface RateSpan {
  /** 0: Sunday. */
  readonly days: readonly number[];
  /** Minutes of the day, local time. */
  readonly begin: number;
  readonly end: number;
}

/** What is chosen for all transfers with a label. */
export interface LabelSettings {
  readonly shareLimits?: ShareLimits | undefined;
  /** Of all of them together, each gets the same; in addition to those for all transfers. */
  readonly rates?: Rates | undefined;
}

/** What a node's owner chooses for all transfers. */
export interface TransferSettings {
  /** Absolute folder for what is added from now on; absent: the one in the configuration. */
  readonly folder?: string | undefined;
  /** Downloads that run at one time; 0: any number. Downloads for which nothing arrives do not count. */
  readonly downloadsMax: number;
  /** Seeds that are kept awake without a peer. */
  readonly idleSeedsMax: number;
  /** Torrents in the engine at one time, seeds and downloads. */
  readonly awakeMax: number;
  readonly shareLimits: ShareLimits;
  readonly rates: Rates;
  /** Instead of `rates`, while a span says so or while they are switched on by hand. */
  readonly alternative: Rates & { readonly on: boolean; readonly spans: readonly RateSpan[] };
  readonly labels: Readonly<Record<string, LabelSettings>>;
  /** Besides those of the configuration. */
  readonly watchFolders: readonly WatchFolder[];
}

/** What is absent stays. */
export type TransferSettingsChange = {
  readonly [Key in keyof TransferSettings]?: TransferSettings[Key] | undefined;
};

export function withChange(
  settings: TransferSettings,
  change: TransferSettingsChange,
): TransferSettings {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(given) };
}

export const DEFAULT_TRANSFER_SETTINGS: TransferSettings = {
  downloadsMax: 5,
  idleSeedsMax: 100,
  awakeMax: 500,
  shareLimits: {},
  rates: { down: 0, up: 0 },
  alternative: { down: 0, up: 0, on: false, spans: [] },
  labels: {},
  watchFolders: [],
};

const KEY = "transfers";

export type SettingsStore = Pick<SettingsTable, "get" | "set">;

export async function loadSettings(
  store: SettingsStore,
  defaults: TransferSettings,
): Promise<TransferSettings> {
  const stored = await store.get(KEY);
  return { ...defaults, ...stored };
}

export async function saveSettings(
  store: SettingsStore,
  settings: TransferSettings,
): Promise<void> {
  await store.set(KEY, { ...settings });
}
