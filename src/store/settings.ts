/** Few values that belong to the site, each under a fixed key (HUB-15). */
export interface Settings {
  /** What people call the site. */
  readonly "site-name": string;
  /** Up to this torrent, in the order of publishing, equal files have one place on the disk. */
  readonly "shared-seq": number;
  /** Where the hub that runs, or ran last, is reached on its machine. */
  readonly "local-url": string;
  /** Digest of a one-time key, and when it ends, in wall milliseconds. */
  readonly "setup-link": { readonly digest: string; readonly endMs: number };
}

export interface SettingsTable {
  get<K extends keyof Settings>(key: K): Promise<Settings[K] | undefined>;
  set<K extends keyof Settings>(key: K, value: Settings[K]): Promise<void>;
  /**
   * Deletes a setting that still has this value, in one step.
   *
   * @returns Whether it had: of several at one moment one gets true.
   */
  delete<K extends keyof Settings>(key: K, value: Settings[K]): Promise<boolean>;
}
