import type { SettingsReload } from "../api/node.ts";
import type { ReachChange, ReachSetting, ReachValue } from "../api/reach.ts";
import { invariant } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { CONFIG_KEYS } from "../config/config-keys.ts";
import { type KeyOrigin, valueAt } from "../config/load-config.ts";
import {
  PAGE_KEYS,
  type PageKey,
  type PageValue,
  pageValueOf,
  withPageValues,
} from "../config/page-settings.ts";
import type { ReachRefusal } from "../hub/hub-parts.ts";
import type { Log } from "../ports/log.ts";
import type { SettingsTable } from "../store/settings.ts";
import type { HubConfig } from "./hub-config.ts";
import { filtersTrouble } from "./open-network.ts";
import { judgePageProxy, withoutLogin } from "./page-proxy.ts";

const PROXY = "engine.proxy";

/**
 * The settings of the page "Connections". The command line, variables and the file win over what the page stored, and
 * the page over defaults. A change holds at once where a part listens for it, and otherwise after a restart.
 */
export class ReachSettings {
  /** What the hub starts with: the page's values included. */
  readonly config: Config;
  /** The origin of each key's value, without the page. */
  #origins: ReadonlyMap<string, KeyOrigin>;
  /** The settings as the file, variables and the command line give them now. */
  #given: Config;
  /** The same as at the start. */
  readonly #begunWith: Config;
  readonly #stored: Map<string, PageValue>;
  /** What holds now, by key. */
  readonly #running: Map<string, PageValue | undefined>;
  /** The keys whose changes hold at once, and what carries them out. */
  readonly #listeners = new Map<string, ((value: PageValue) => void)[]>();
  /** Why a value of the page is not carried out, by key. */
  readonly #troubles: Map<string, string>;
  readonly #table: SettingsTable;
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(
    config: Config,
    asked: Pick<HubConfig, "config" | "origins">,
    kept: {
      readonly stored: ReadonlyMap<string, PageValue>;
      readonly troubles: Map<string, string>;
      readonly table: SettingsTable;
    },
  ) {
    this.config = config;
    this.#origins = asked.origins;
    this.#given = asked.config;
    this.#begunWith = asked.config;
    this.#stored = new Map(kept.stored);
    this.#troubles = kept.troubles;
    this.#table = kept.table;
    this.#running = new Map(PAGE_KEYS.map((key) => [key.name, pageValueOf(config, key)]));
  }

  /** @param asked - The settings without the page's values. */
  static async load(
    asked: Pick<HubConfig, "config" | "origins">,
    table: SettingsTable,
    log: Log,
  ): Promise<ReachSettings> {
    const { origins } = asked;
    const stored = new Map(Object.entries((await table.get("reach")) ?? {}));
    const troubles = new Map<string, string>();
    const onRefused = (name: string): void => {
      const value = JSON.stringify(stored.get(name));
      log.error("a setting of the page Connections is not possible any more; its default holds", {
        key: name,
        value,
      });
      troubles.set(name, `This version does not take ${value}, so the default holds.`);
      stored.delete(name);
    };
    const values = Object.fromEntries(stored);
    const config = withPageValues(asked.config, { origins, stored: values, onRefused });
    return new ReachSettings(config, asked, { stored, troubles, table });
  }

  /** Whether the value that holds since the start is one that the page stored. */
  isOfPage(name: string): boolean {
    return !this.#origins.has(name) && this.#stored.has(name);
  }

  /** A value of the page is not carried out. */
  setTrouble(name: string, trouble: string): void {
    this.#troubles.set(name, trouble);
  }

  /** The key's value, for a part that asks whenever it needs it: a change then holds at once. */
  live<Value extends PageValue>(name: string): () => Value {
    this.#listenersOf(name);
    return () => this.#running.get(name) as Value;
  }

  /** Calls `apply` whenever the page changes the key, which then holds at once. */
  whenChanged<Value extends PageValue>(name: string, apply: (value: Value) => void): void {
    this.#listenersOf(name).push((value) => apply(value as Value));
  }

  /** @param troubles - What is not carried out now, and why, by key. */
  view(troubles: ReadonlyMap<string, string> = new Map()): ReachSetting[] {
    return PAGE_KEYS.map((key) => {
      const view = this.#view(key);
      if (view.waitsForRestart) return view;
      return { ...view, trouble: this.#troubles.get(key.name) ?? troubles.get(key.name) ?? null };
    });
  }

  /** Changes settings: all of them, or none. @returns Why none was changed; `undefined` after success. */
  async change({ settings }: ReachChange): Promise<ReachRefusal | undefined> {
    const changes: (readonly [PageKey, ReachValue | null])[] = [];
    for (const [name, value] of Object.entries(settings)) {
      const key = PAGE_KEYS.find((each) => each.name === name);
      if (!key) {
        return { kind: "unknown", key: name, message: `There is no setting "${name}" here.` };
      }
      const refusal = this.#judge(key, value) ?? (await judgeLists(key, value));
      if (refusal) return refusal;
      changes.push([key, value]);
    }
    // One after the other: each writes the whole table of values.
    const saved = this.#saving.then(() => this.#save(changes));
    this.#saving = saved.catch(() => undefined);
    await saved;
    return undefined;
  }

  /**
   * The file was changed: takes over what can hold at once.
   *
   * @returns The keys that hold now, and those that hold after a restart.
   */
  adopt(asked: Pick<HubConfig, "config" | "origins">): SettingsReload {
    this.#origins = asked.origins;
    this.#given = asked.config;
    const atOnce: string[] = [];
    const afterRestart: string[] = [];
    for (const { path } of CONFIG_KEYS) {
      const name = path.join(".");
      const key = PAGE_KEYS.find((each) => each.name === name);
      const wanted = key ? this.#wanted(key) : valueAt(asked.config, path);
      const running = key ? this.#running.get(name) : valueAt(this.#begunWith, path);
      if (JSON.stringify(wanted) === JSON.stringify(running)) continue;
      if (key && this.#carryOut(key, wanted as PageValue | undefined)) atOnce.push(name);
      else afterRestart.push(name);
    }
    return { atOnce, afterRestart };
  }

  /** The value that should hold. */
  #wanted(key: PageKey): PageValue | undefined {
    const stored = this.#stored.get(key.name);
    return this.#origins.has(key.name)
      ? pageValueOf(this.#given, key)
      : (stored ?? (key.setting.defaultValue as PageValue | undefined));
  }

  /** @returns False when it holds after a restart only. */
  #carryOut({ name }: PageKey, wanted: PageValue | undefined): boolean {
    const listeners = this.#listeners.get(name);
    if (!listeners || wanted === undefined) return false;
    this.#running.set(name, wanted);
    for (const listener of listeners) listener(wanted);
    return true;
  }

  #judge({ name, label, setting }: PageKey, value: unknown): ReachRefusal | undefined {
    const origin = this.#origins.get(name);
    if (origin !== undefined) {
      const message = `"${label}" cannot be changed here: ${GIVERS[origin]} gives it.`;
      return { kind: "set-elsewhere", key: name, message };
    }
    if (value === null) return undefined;
    if (!setting.takesValue(value)) {
      return { kind: "bad-value", key: name, message: `"${label}" takes ${setting.takes}.` };
    }
    const isProxy = name === PROXY && typeof value === "string";
    const trouble = isProxy ? judgePageProxy(value) : undefined;
    return trouble === undefined
      ? undefined
      : { kind: "bad-value", key: name, message: `"${label}": ${trouble}` };
  }

  async #save(changes: readonly (readonly [PageKey, ReachValue | null])[]): Promise<void> {
    const stored = new Map(this.#stored);
    for (const [{ name }, value] of changes) {
      if (value === null) stored.delete(name);
      else stored.set(name, value);
    }
    await this.#table.set("reach", Object.fromEntries(stored));
    for (const [key] of changes) this.#apply(key, stored.get(key.name));
  }

  #apply(key: PageKey, value: PageValue | undefined): void {
    if (value === undefined) this.#stored.delete(key.name);
    else this.#stored.set(key.name, value);
    this.#troubles.delete(key.name);
    this.#carryOut(key, this.#wanted(key));
  }

  #listenersOf(name: string): ((value: PageValue) => void)[] {
    const known = this.#listeners.get(name);
    if (known) return known;
    invariant(
      PAGE_KEYS.some((key) => key.name === name),
      "reach-keys.ts lists every key that somebody listens to",
    );
    const listeners: ((value: PageValue) => void)[] = [];
    this.#listeners.set(name, listeners);
    return listeners;
  }

  #view(key: PageKey): ReachSetting {
    const { name, group, label, help, control, setting } = key;
    const origin = this.#origins.get(name);
    const stored = this.#stored.get(name);
    const running = this.#running.get(name);
    const standard = setting.defaultValue as PageValue | undefined;
    const value = this.#wanted(key);
    return {
      key: name,
      group,
      label,
      help,
      control: control.kind === "choice" ? { ...control, choices: [...control.choices] } : control,
      value: asJson(name === PROXY ? withoutLogin(value) : value),
      default: asJson(standard),
      origin: origin ?? (stored === undefined ? "default" : "page"),
      atOnce: this.#listeners.has(name),
      waitsForRestart: JSON.stringify(value) !== JSON.stringify(running),
      trouble: null,
    };
  }
}

/** Lists that cannot be used now are refused when they are given; if they go later, the hub starts without them. */
async function judgeLists(
  { name, label }: PageKey,
  value: ReachValue | null,
): Promise<ReachRefusal | undefined> {
  if (name !== "engine.ipFilters" || !Array.isArray(value)) return undefined;
  const trouble = await filtersTrouble(value);
  if (trouble === undefined) return undefined;
  return { kind: "bad-value", key: name, message: `"${label}": ${trouble}` };
}

const GIVERS: Readonly<Record<KeyOrigin, string>> = {
  default: "its default",
  page: "this page",
  file: "the configuration file",
  variable: "an environment variable",
  "command-line": "a flag of the command line",
};

function asJson(value: PageValue | undefined): ReachValue | null {
  return typeof value === "object" ? [...value] : (value ?? null);
}
