import { addressBytes } from "../base/endpoint.ts";

/** The program's own name, for a machine without a name. */
const NAMELESS = "Everseed";
const CHARACTERS_MAX = 100;

const SETTING = "site-name";

export interface SiteNameOptions {
  /** As configured; takes precedence until the next rename. */
  readonly configured: string | undefined;
  readonly publicUrl: string | undefined;
  /** The machine's own name. */
  readonly systemName: string;
  /** Keeps a name that somebody gave. */
  readonly settings: {
    get(key: typeof SETTING): Promise<string | undefined>;
    set(key: typeof SETTING, value: string): Promise<void>;
  };
}

/** The name of a site: the configured one, otherwise the one that somebody gave it, otherwise a default. */
export class SiteName {
  readonly #settings: SiteNameOptions["settings"];
  #name: string;

  private constructor(name: string, settings: SiteNameOptions["settings"]) {
    this.#name = name;
    this.#settings = settings;
  }

  static async load(options: SiteNameOptions): Promise<SiteName> {
    const { configured, publicUrl, systemName, settings } = options;
    const name = configured ?? (await settings.get(SETTING));
    return new SiteName(name ?? defaultSiteName(publicUrl, systemName), settings);
  }

  get current(): string {
    return this.#name;
  }

  async rename(name: string): Promise<void> {
    await this.#settings.set(SETTING, name);
    this.#name = name;
  }
}

/**
 * The default name of a site: its public host name, otherwise the machine's own name.
 *
 * @param publicUrl - The public address, when it was configured.
 */
export function defaultSiteName(publicUrl: string | undefined, systemName: string): string {
  const known = publicUrl === undefined ? "" : new URL(publicUrl).hostname;
  const names = [known, systemName].filter((name) => tellsSites(name));
  return (names[0] ?? NAMELESS).slice(0, CHARACTERS_MAX);
}

/** An address is not a name, and every machine calls itself localhost. */
function tellsSites(name: string): boolean {
  if (name === "" || addressBytes(name.replace(/^\[|\]$/g, "")) !== undefined) return false;
  return !/^localhost(\.|$)/i.test(name);
}
