import { readFileSync } from "node:fs";

/**
 * The version in package.json, which is two folders up, both in the repository and in the package.
 */
export function everseedVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const known = typeof parsed === "object" && parsed !== null && "version" in parsed;
  return known ? String(parsed.version) : "unknown";
}
