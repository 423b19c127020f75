import { columnWidth } from "./column-width.ts";

export { escapeOutside, safeJson } from "../base/steering-text.ts";

/** Shortens in the middle, so that a file name's extension stays visible. */
export function cutMiddle(text: string, columns: number): string {
  if (columnWidth(text) <= columns) return text;
  if (columns <= 3) return ".".repeat(Math.max(0, columns));
  const characters = [...text];
  const tail = takeColumns(characters.toReversed(), Math.floor((columns - 3) / 2)).toReversed();
  const head = takeColumns(characters, columns - 3 - columnWidth(tail.join("")));
  return `${head.join("")}...${tail.join("")}`;
}

function takeColumns(characters: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const character of characters) {
    width += columnWidth(character);
    if (width > columns) break;
    taken.push(character);
  }
  return taken;
}
