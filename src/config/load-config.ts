import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Config, type ConfigInput, configSchema } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import {
  CONFIG_KEYS,
  isOtherVariable,
  isServiceVariable,
  keyAt,
  namesIn,
  VARIABLE_PREFIX,
} from "./config-keys.ts";
import { nearest } from "./nearest.ts";
import { type Preset, PRESETS } from "./presets.ts";
import { valueOf } from "./setting-text.ts";

/** The sources of settings; later ones take precedence. */
export interface ConfigSources {
  /** The preset whose defaults hold; a hub's when absent. */
  readonly preset?: Preset | undefined;
  /** The configuration file, when there is one. `path` is for messages only. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
  /** Every key is also a variable: `EVERSEED_TRACKER_UDP_PORT` is `tracker.udpPort`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line. */
  readonly overrides: ConfigInput;
}

/**
 * Merges the settings: defaults, file, environment, command line.
 *
 * @throws {ConfigError} Names the file and line (or the variable), the nearest valid key and the allowed values.
 */
export function loadConfig(sources: ConfigSources): Config {
  const fromFile = sources.file ? readFile(sources.file) : {};
  const fromEnv = readEnv(sources.env);
  const given = merge(merge(fromFile, fromEnv), sources.overrides);
  const result = configSchema.safeParse(merge(PRESETS[sources.preset ?? "hub"], given));
  // Each source was validated by itself, so together they hold nothing new.
  return result.success ? result.data : refuse(result.error, () => "the command line");
}

/** The origin of a key's value; `page`: the hub's own page, whose values the hub keeps itself. */
export type KeyOrigin = "default" | "page" | "file" | "variable" | "command-line";

/**
 * The origin of each key's value, by the name of the key. A key that nobody gave is absent.
 *
 * @throws {ConfigError} As `loadConfig`.
 */
export function originsOf(sources: ConfigSources): ReadonlyMap<string, KeyOrigin> {
  const givers: readonly (readonly [KeyOrigin, Settings])[] = [
    ["file", sources.file ? readFile(sources.file) : {}],
    ["variable", readEnv(sources.env)],
    ["command-line", sources.overrides],
  ];
  const origins = new Map<string, KeyOrigin>();
  for (const [origin, settings] of givers) {
    for (const { path } of CONFIG_KEYS) {
      if (valueAt(settings, path) !== undefined) origins.set(path.join("."), origin);
    }
  }
  return origins;
}

/** @returns The value of one key; `undefined` when it is absent. */
export function valueAt(settings: unknown, path: readonly string[]): unknown {
  let value = settings;
  for (const name of path) value = isSettings(value) ? value[name] : undefined;
  return value;
}

/** @returns The settings with another value of one key, which is not judged. */
export function withValueAt<Whole extends object>(
  settings: Whole,
  path: readonly string[],
  value: unknown,
): Whole {
  return merge(settings as Settings, nest(path, value)) as Whole;
}

/** Aliases that a file may expand, in all. */
const ALIASES_MAX = 100;

type Settings = Readonly<Record<string, unknown>>;
type Locate = (path: readonly PropertyKey[]) => string;

function readFile(file: { path: string; text: string }): Settings {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    const why = broken.message.split(" at line ")[0] ?? broken.message;
    const hint = "Keys stand one per line as `key: value`; sections are indented by two spaces.";
    throw new ConfigError("bad-yaml", `${file.path} line ${line} is not YAML. ${why}.`, hint);
  }
  const locate: Locate = (path) => `${file.path} line ${lineOf(document, lines, path)}`;
  return judge(valuesOf(document, file.path) ?? {}, locate);
}

/** Aliases of aliases turn a few lines into gigabytes: the library counts them and stops. */
function valuesOf(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const why = "Its aliases (&name and *name) stand for too much, or for nothing.";
    throw new ConfigError(
      "bad-yaml",
      `${path} cannot be used. ${why}`,
      "Write the values out; settings need no aliases.",
    );
  }
}

function readEnv(env: ConfigSources["env"]): Settings {
  refuseUnknown(env);
  let settings: Settings = {};
  const used = new Map<string, string>();
  for (const key of CONFIG_KEYS) {
    const text = env[key.variable];
    if (text === undefined || text === "" || isServiceVariable(key.variable, text)) continue;
    used.set(key.path.join("."), key.variable);
    settings = merge(settings, nest(key.path, valueOf(key, text)));
  }
  return judge(settings, (path) => used.get(path.join(".")) ?? used.get(String(path[0])) ?? "");
}

/** A misspelled variable would be ignored silently. */
function refuseUnknown(env: ConfigSources["env"]): void {
  const known = CONFIG_KEYS.map((key) => key.variable);
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(VARIABLE_PREFIX) || text === undefined || text === "") continue;
    if (known.includes(name) || isOtherVariable(name)) continue;
    if (isServiceVariable(name, text)) continue;
    const meant = nearest(withoutPrefix(name), known.map(withoutPrefix));
    const all = `Known are ${known.join(", ")}.`;
    throw new ConfigError(
      "unknown-key",
      `The variable ${name} is no setting.`,
      meant ? `write ${VARIABLE_PREFIX}${meant} if that was meant. ${all}` : all,
    );
  }
}

function withoutPrefix(variable: string): string {
  return variable.slice(VARIABLE_PREFIX.length);
}

function judge(value: unknown, locate: Locate): Settings {
  const result = configSchema.safeParse(value);
  return result.success ? (value as Settings) : refuse(result.error, locate);
}

/** People fix one error after the other, so the message is about the first one. */
function refuse(error: z.ZodError, locate: Locate): never {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0]!;
    const allowed = namesIn(issue.path.map(String));
    const meant = nearest(name, allowed);
    const where = locate([...issue.path, name]);
    const detail = `${where} has an unknown key "${[...issue.path, name].join(".")}".`;
    const known = `Known here: ${allowed.join(", ")}.`;
    throw new ConfigError(
      "unknown-key",
      detail,
      meant ? `write "${meant}" if that was meant. ${known}` : known,
    );
  }
  const key = keyAt(issue.path);
  const name = key ? key.path.join(".") : issue.path.join(".") || "the whole file";
  const where = `${locate(issue.path)} has a wrong value for "${name}".`;
  if (issue.code === "custom") {
    throw new ConfigError("bad-value", `${where} ${issue.message}`, String(issue.params?.["hint"]));
  }
  const takes = key ? key.takes : "keys with values below it";
  throw new ConfigError(
    "bad-value",
    `${where} It takes ${takes}.`,
    key?.defaultValue === undefined || key.defaultValue === ""
      ? `correct "${name}", or leave it out.`
      : `correct "${name}", or leave it out: then it is ${JSON.stringify(key.defaultValue)}.`,
  );
}

/** The line of a key, or of its section when the key is absent. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const name of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === name);
    if (!pair || !isScalar(pair.key)) break;
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return lines.linePos(offset).line;
}

function nest(path: readonly string[], value: unknown): Settings {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Settings;
}

function merge(below: Settings, above: Settings): Settings {
  const merged: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    if (value === undefined) continue;
    const under = merged[name];
    merged[name] = isSettings(value) && isSettings(under) ? merge(under, value) : value;
  }
  return merged;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
