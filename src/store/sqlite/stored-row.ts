import { fromHex, toHex } from "../../base/bytes.ts";
import { invariant } from "../../base/errors.ts";

type Value = string | number | null | Uint8Array;

/** Packs a row of any table as text, so that another table can store it whatever its columns are. */
export function packRow(row: Readonly<Record<string, Value>>): string {
  const entries = Object.entries(row).map(([column, value]) => [
    column,
    value instanceof Uint8Array ? { hex: toHex(value) } : value,
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** @param text - From `packRow`. Columns that were added later are missing: they get their defaults. */
export function unpackRow(text: string): Record<string, Value> {
  const packed = JSON.parse(text) as Record<string, string | number | null | { hex: string }>;
  const entries = Object.entries(packed).map(([column, value]): [string, Value] => {
    if (typeof value !== "object" || value === null) return [column, value];
    const bytes = fromHex(value.hex);
    invariant(bytes, "we wrote it ourselves");
    return [column, bytes];
  });
  return Object.fromEntries(entries);
}
