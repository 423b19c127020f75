import { z } from "zod";
import { configSchema } from "./config.ts";
import type { KeyNote } from "./key-note.ts";

/** One setting: `tracker.udpPort`. */
export interface ConfigKey extends KeyNote {
  readonly path: readonly string[];
  /** `EVERSEED_TRACKER_UDP_PORT`. */
  readonly variable: string;
  /** A variable's value is taken literally for `text`, and split at commas for a `list`. */
  readonly kind: "text" | "list" | "other";
  /** Its values, where there are a few only. */
  readonly choices: readonly string[];
  /** `undefined` when there is none. */
  readonly defaultValue: unknown;
  /** Whether it takes this value. */
  readonly takesValue: (value: unknown) => boolean;
}

/** The prefix of our variables. */
export const VARIABLE_PREFIX = "EVERSEED_";

const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  "EVERSEED_DEBUG",
  "EVERSEED_HOME",
  "EVERSEED_NOHUP",
  "EVERSEED_PROXY",
  "EVERSEED_TRACKERS",
]);

/** Variables of ours that are not settings of a hub: for other commands, and for programs that tests start. */
export function isOtherVariable(name: string): boolean {
  return OTHER_VARIABLES.has(name) || name.startsWith("EVERSEED_TEST_");
}

/**
 * Variables that Kubernetes and Docker links set in every container when a service is called `everseed` or
 * `everseed-...`: nobody wrote them, so they are not mistakes. `EVERSEED_PORT=tcp://10.0.0.7:8420` is one of them.
 */
export function isServiceVariable(name: string, text: string): boolean {
  if (/_SERVICE_(HOST|PORT)$|_SERVICE_PORT_[A-Z0-9_]+$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(text);
}

/** Every setting, in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = [...keysOf(configSchema, [])];

/** The names allowed inside a section; of the whole file for an empty path. */
export function namesIn(section: readonly string[]): string[] {
  const depth = section.length;
  const inside = CONFIG_KEYS.filter((key) => section.every((name, i) => key.path[i] === name));
  return [...new Set(inside.flatMap((key) => key.path[depth] ?? []))];
}

/** The setting at a path, or the setting that contains a longer path (an item of a list). */
export function keyAt(path: readonly PropertyKey[]): ConfigKey | undefined {
  return CONFIG_KEYS.find((key) => key.path.every((name, i) => path[i] === name));
}

function* keysOf(schema: z.ZodType, path: readonly string[]): Generator<ConfigKey> {
  const inner = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema;
  if (inner instanceof z.ZodObject) {
    for (const [name, child] of Object.entries(inner.shape)) {
      yield* keysOf(child as z.ZodType, [...path, name]);
    }
    return;
  }
  const { says, takes } = inner.meta() as unknown as KeyNote;
  const defaultValue = inner instanceof z.ZodDefault ? inner.def.defaultValue : undefined;
  const takesValue = (value: unknown): boolean => inner.safeParse(value).success;
  yield {
    path,
    variable: variableOf(path),
    kind: kindOf(inner),
    choices: choicesOf(inner),
    says,
    takes,
    defaultValue,
    takesValue,
  };
}

function kindOf(schema: z.ZodType): ConfigKey["kind"] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return kindOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodArray) return "list";
  return schema.type === "string" || schema.type === "enum" ? "text" : "other";
}

function choicesOf(schema: z.ZodType): readonly string[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return choicesOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodBoolean) return ["true", "false"];
  return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
}

function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`));
  return `${VARIABLE_PREFIX}${words.join("_").toUpperCase()}`;
}
