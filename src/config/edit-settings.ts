import { type Document, isMap, isScalar, type Pair, parseDocument, stringify } from "yaml";

/**
 * Writes one value into the text of a configuration file. Every other line stays as it is, comments and order included; a
 * key that the template has commented out comes to life in its place.
 *
 * @param text - It has been loaded before, and holds valid YAML.
 * @param value - `undefined` takes the key out of the text: its line becomes a comment.
 */
export function withSetting(text: string, path: readonly string[], value: unknown): string {
  const document = parseDocument(text);
  if (value === undefined && !document.hasIn(path)) return text;
  const wanted = wantedValues(text, path, value);
  const ways =
    value === undefined
      ? [commentedOut(text, document, path)]
      : [
          replaced(text, document, path, value),
          uncommented(text, path, value),
          inserted(text, document, path, value),
        ];
  const found = ways.find((way) => way !== undefined && holds(way, wanted));
  return found ?? rewritten(document, path, value);
}

type Values = Readonly<Record<string, unknown>>;

const NO_VALUES: Values = {};

function valuesIn(text: string): unknown {
  const document = parseDocument(text);
  return document.errors.length > 0 ? undefined : ((document.toJS() as unknown) ?? {});
}

/** An edit of lines is good when it changed what it should, and nothing else. */
function holds(text: string, wanted: unknown): boolean {
  const values = valuesIn(text);
  return values !== undefined && canonical(values) === canonical(wanted);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isValues(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wantedValues(text: string, path: readonly string[], value: unknown): unknown {
  const change = (values: unknown, [first = "", ...rest]: readonly string[]): Values => {
    const { [first]: before, ...others } = isValues(values) ? values : NO_VALUES;
    if (rest.length === 0) return value === undefined ? others : { ...others, [first]: value };
    const below = change(before, rest);
    // A section without a key would be no section.
    return value === undefined && Object.keys(below).length === 0
      ? others
      : { ...others, [first]: below };
  };
  return change(valuesIn(text), path);
}

/** @returns The text with another value where the key has one. */
function replaced(
  text: string,
  document: Document,
  path: readonly string[],
  value: unknown,
): string | undefined {
  const pair = pairAt(document, path);
  const key = pair?.key;
  if (!pair || !isScalar(key) || !key.range) return undefined;
  const range = (pair.value as { range?: readonly [number, number, number] | null } | null)?.range;
  if (range && range[0] < range[1]) {
    return text.slice(0, range[0]) + inline(value) + text.slice(range[1]);
  }
  const colon = text.indexOf(":", key.range[1]);
  return `${text.slice(0, colon + 1)} ${inline(value)}${text.slice(colon + 1)}`;
}

/** @returns The text with the line of the template, `#  port: 8421`, as a setting. */
function uncommented(text: string, path: readonly string[], value: unknown): string | undefined {
  const lines = text.split("\n");
  const [section, name] = path.length > 1 ? path : [undefined, path[0]];
  if (path.length > 2 || name === undefined) return undefined;
  let from = 0;
  if (section !== undefined) {
    from = lines.findIndex((line) => new RegExp(`^#? ?${section}:\\s*$`).test(line));
    if (from === -1) return undefined;
    lines[from] = `${section}:`;
  }
  const own = new RegExp(section === undefined ? `^# ?${name}:` : `^# *${name}:`);
  const next = /^#?[A-Za-z]\w*:/;
  for (let at = section === undefined ? 0 : from + 1; at < lines.length; at += 1) {
    const line = lines[at]!;
    if (own.test(line)) {
      lines[at] = `${section === undefined ? "" : "  "}${name}: ${inline(value)}`;
      return lines.join("\n");
    }
    if (section !== undefined && next.test(line)) return undefined;
  }
  return undefined;
}

/** @returns The text with a new line: the first of its section, or the last of the file. */
function inserted(
  text: string,
  document: Document,
  path: readonly string[],
  value: unknown,
): string | undefined {
  const [section = "", name] = path;
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  if (name === undefined) return `${text}${end}${section}: ${inline(value)}\n`;
  const pair = pairAt(document, [section]);
  if (!pair) return `${text}${end}${section}:\n  ${name}: ${inline(value)}\n`;
  const first = isMap(pair.value) ? pair.value.items[0]?.key : undefined;
  if (!isScalar(first) || !first.range) return undefined;
  const lineStart = text.lastIndexOf("\n", first.range[0]) + 1;
  const indent = text.slice(lineStart, first.range[0]);
  if (indent.trim() !== "") return undefined;
  return `${text.slice(0, lineStart)}${indent}${name}: ${inline(value)}\n${text.slice(lineStart)}`;
}

/** @returns The text with the lines of the key as comments; those of its section too when nothing else is in it. */
function commentedOut(
  text: string,
  document: Document,
  path: readonly string[],
): string | undefined {
  let lost = path;
  while (lost.length > 1) {
    const section = pairAt(document, lost.slice(0, -1))?.value;
    if (!isMap(section) || section.items.length > 1) break;
    lost = lost.slice(0, -1);
  }
  const pair = pairAt(document, lost);
  const key = pair?.key;
  if (!pair || !isScalar(key) || !key.range) return undefined;
  const range = (pair.value as { range?: readonly [number, number, number] | null } | null)?.range;
  const start = text.lastIndexOf("\n", key.range[0]) + 1;
  const stop = Math.max(key.range[1], range?.[1] ?? 0);
  const lines = text.slice(start, stop).split("\n");
  const comments = lines.map((line) => (/^\s*(#|$)/.test(line) ? line : `#${line}`));
  return text.slice(0, start) + comments.join("\n") + text.slice(stop);
}

/** What always works, but may lay out other lines anew. Comments and order stay. */
function rewritten(document: Document, path: readonly string[], value: unknown): string {
  if (value === undefined) {
    document.deleteIn(path);
    const section = path.slice(0, -1);
    const left: unknown = section.length > 0 ? document.getIn(section) : undefined;
    if (isMap(left) && left.items.length === 0) document.deleteIn(section);
  } else {
    document.setIn(path, value);
  }
  return document.toString({ lineWidth: 0 });
}

function pairAt(document: Document, path: readonly string[]): Pair | undefined {
  let node: unknown = document.contents;
  let pair: Pair | undefined;
  for (const name of path) {
    if (!isMap(node)) return undefined;
    pair = node.items.find((item) => isScalar(item.key) && item.key.value === name);
    if (!pair) return undefined;
    node = pair.value;
  }
  return pair;
}

/** A value on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inFlow).join(", ")}]`;
  return stringify(value, { lineWidth: 0, defaultStringType: "PLAIN" }).trimEnd();
}

/** Inside brackets a comma would part a text. */
function inFlow(value: unknown): string {
  return typeof value === "string" && /[,[\]{}:#]/.test(value)
    ? JSON.stringify(value)
    : inline(value);
}
