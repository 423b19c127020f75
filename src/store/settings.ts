/** A few values of the site, each under a fixed key (HUB-15). */
export interface Settings {
  /** The name of the site. */
  readonly "site-name": string;
  /** Up to this torrent, in the order of publication, equal files share one place on the disk. */
  readonly "shared-seq": number;
  /** The address, on its own machine, of the hub that runs or ran last. */
  readonly "local-url": string;
  /** Digest of a one-time key, and when it expires, in wall milliseconds. */
  readonly "setup-link": { readonly digest: string; readonly endMs: number };
  /** Values of configuration keys that somebody chose on the page "Connections", by name. */
  readonly reach: Readonly<Record<string, ReachSetting>>;
  /** What the owner of a node chose for all transfers: see `TransferSettings` of the room `transfers`. */
  readonly transfers: Readonly<Record<string, unknown>>;
  /** How long a node has run over its whole life, in milliseconds. */
  readonly "up-time": number;
  /** What all transfers did since the first start: see `Totals` of the room `transfers`. */
  readonly "transfer-totals": Readonly<Record<string, number>>;
  /** What a program of Transmission's RPC chose and nothing else here knows: see the room `transmission-rpc`. */
  readonly "transmission-rpc": Readonly<Record<string, unknown>>;
  /** What all transfers moved in the last day: see `SpeedHistory` of the room `transfers`. */
  readonly "transfer-speed": Readonly<Record<string, unknown>>;
}

export type ReachSetting = string | number | boolean | readonly string[];

export interface SettingsTable {
  get<K extends keyof Settings>(key: K): Promise<Settings[K] | undefined>;
  set<K extends keyof Settings>(key: K, value: Settings[K]): Promise<void>;
  /**
   * Deletes a setting if it still has this value, in one step.
   *
   * @returns True if it had: of several simultaneous callers only one gets true.
   */
  delete<K extends keyof Settings>(key: K, value: Settings[K]): Promise<boolean>;
}
