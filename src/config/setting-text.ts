import { parse } from "yaml";
import { ConfigError } from "./config-error.ts";
import type { ConfigKey } from "./config-keys.ts";

/**
 * A value as people write it outside the file. A text is taken literally; numbers, true and false are written as in the
 * file; a list may also be `a,b`.
 */
export function valueOf({ kind }: Pick<ConfigKey, "kind">, text: string): unknown {
  if (kind === "text") return text;
  if (kind === "list" && !text.startsWith("[")) return text.split(",").map((item) => item.trim());
  try {
    return parse(text) as unknown;
  } catch {
    return text; // The schema's error will say what is expected.
  }
}

/** @throws {ConfigError} When the key does not take it. */
export function readValue(key: ConfigKey, text: string): unknown {
  const value = valueOf(key, text);
  if (key.takesValue(value)) return value;
  const name = key.path.join(".");
  const what = `"${name}" does not take ${JSON.stringify(text)}. It takes ${key.takes}.`;
  throw new ConfigError("bad-value", what, `everseed config get ${name} shows what holds now.`);
}
