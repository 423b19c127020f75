import { Document } from "yaml";
import { CONFIG_KEYS } from "./config-keys.ts";
import { valueAt } from "./load-config.ts";
import { type Preset, PRESETS } from "./presets.ts";

/**
 * The configuration file of a new hub or node: every key with its description, values and default, all commented out, so that
 * a later version may change a default that nobody chose.
 */
export function configTemplate(preset: Preset = "hub"): string {
  const lines = [
    "# Settings of this everseed. Remove the # in front of a key to change it, then start again.",
    "# Each key is also an environment variable, which wins over this file.",
  ];
  let section = "";
  for (const key of CONFIG_KEYS) {
    const name = key.path.at(-1)!;
    const inside = key.path.slice(0, -1).join(".");
    const indent = "  ".repeat(key.path.length - 1);
    lines.push("");
    if (inside !== section) {
      section = inside;
      lines.push(`#${inside}:`);
    }
    const takes = `${key.takes[0]!.toUpperCase()}${key.takes.slice(1)}`;
    lines.push(`# ${indent}${key.says}`, `# ${indent}${takes}. (${key.variable})`);
    lines.push(
      `#${indent}${name}: ${yamlScalar(valueAt(PRESETS[preset], key.path) ?? key.defaultValue)}`.trimEnd(),
    );
  }
  return `${lines.join("\n")}\n`;
}

function yamlScalar(value: unknown): string {
  if (value === undefined || value === "") return "";
  return new Document(value)
    .toString({ flowCollectionPadding: false, collectionStyle: "flow" })
    .trim();
}
