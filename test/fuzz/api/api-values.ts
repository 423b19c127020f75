import type { Random } from "../../../src/ports/random.ts";
import { type ApiDocument, type ApiSchema, resolved } from "./api-document.ts";

/** Values that programs stumble over. None of them is an absolute path: what is accepted must not write anywhere. */
export const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  -0,
  2 ** 53,
  1e308,
  "",
  " ",
  "0",
  "\0",
  "a\0b",
  "../../etc/passwd",
  "%00",
  "{{7*7}}",
  "\u202eevil",
  "\ud800",
  "💩".repeat(40),
  "x".repeat(5_000),
  "__proto__",
  "constructor",
  "toString",
  "magnet:?xt=urn:btih:zz",
  "http://[::1",
  [],
  [null],
  [[[[]]]],
  {},
  { __proto__: null, length: 1e9 },
  { toString: "x", valueOf: 1, constructor: { prototype: {} } },
  Array.from({ length: 2_000 }, () => 0),
];

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

/** A value that the schema allows, as far as a schema tells. */
export function validValue(
  document: ApiDocument,
  given: ApiSchema,
  random: Random,
  folder: string,
): unknown {
  const schema = resolved(document, given);
  const inner = (each: ApiSchema): unknown => validValue(document, each, random, folder);
  if (schema.enum) return pick(random, schema.enum);
  if (schema.anyOf) return inner(pick(random, schema.anyOf));
  if (schema.allOf) return inner(schema.allOf[0]!);
  const type = typeof schema.type === "string" ? schema.type : schema.type?.[0];
  switch (type) {
    case "object": {
      const entries = Object.entries(schema.properties ?? {})
        .filter(([name]) => schema.required?.includes(name) || random.below(3) === 0)
        .map(([name, each]) => [name, named(name, folder) ?? inner(each)]);
      return Object.fromEntries(entries);
    }
    case "array":
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () => inner(schema.items!));
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 5, 5));
    case "boolean":
      return random.below(2) === 0;
    default:
      return "7".repeat(Math.min(schema.maxLength ?? 8, Math.max(schema.minLength ?? 0, 8)));
  }
}

/** What a schema does not say. */
function named(name: string, folder: string): unknown {
  switch (name) {
    case "folder":
    case "into":
      return folder;
    case "source":
    case "magnet":
      return `magnet:?xt=urn:btih:${"5".repeat(40)}`;
    case "password":
    case "current":
      return "a wrong password";
    default:
      return undefined;
  }
}

/** The same value with one thing wrong in it, or something else altogether. */
export function spoiled(
  document: ApiDocument,
  given: ApiSchema,
  value: unknown,
  random: Random,
): unknown {
  const schema = resolved(document, given);
  if (random.below(8) === 0) return pick(random, HOSTILE);
  if (Array.isArray(value) && schema.items && value.length > 0) {
    const [first, ...rest] = value as readonly unknown[];
    if (random.below(4) === 0) {
      return Array.from({ length: Math.min((schema.maxItems ?? 100) + 1, 2_000) }, () => first);
    }
    return [spoiled(document, schema.items, first, random), ...rest];
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return spoiledObject(document, schema, value as Readonly<Record<string, unknown>>, random);
  }
  const bounds = [
    ...(schema.minimum === undefined ? [] : [schema.minimum - 1]),
    ...(schema.maximum === undefined ? [] : [schema.maximum + 1]),
    ...(schema.maxLength === undefined ? [] : ["y".repeat(Math.min(schema.maxLength + 1, 70_000))]),
    ...(schema.minLength === undefined || schema.minLength === 0
      ? []
      : ["y".repeat(schema.minLength - 1)]),
  ];
  return pick(random, [...bounds, ...bounds, ...HOSTILE]);
}

function spoiledObject(
  document: ApiDocument,
  schema: ApiSchema,
  value: Readonly<Record<string, unknown>>,
  random: Random,
): unknown {
  const names = Object.keys(schema.properties ?? {});
  const required = schema.required ?? [];
  switch (random.below(6)) {
    case 0: {
      const { [pick(random, [...required, "none"])]: _, ...rest } = value;
      return rest;
    }
    case 1:
      return { ...value, [pick(random, ["extra", "toString", "hasOwnProperty", "\0", ""])]: 1 };
    default: {
      const name = pick(random, [...names, ...Object.keys(value), "extra"]);
      const inner = schema.properties?.[name] ?? {};
      return { ...value, [name]: spoiled(document, inner, value[name], random) };
    }
  }
}
