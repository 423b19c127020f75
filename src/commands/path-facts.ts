import { lstatSync, type Stats, statSync } from "node:fs";
import { systemCode } from "../base/system-code.ts";
import { diskTrouble } from "./command-error.ts";

/** @returns `undefined` when there is nothing. Links are followed, and one that leads nowhere is nothing. */
export function factsOf(path: string): Stats | undefined {
  return look(path, statSync);
}

/** Like `factsOf`, of a link itself. */
export function entryFactsOf(path: string): Stats | undefined {
  return look(path, lstatSync);
}

const NOTHING: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
]);

function look(path: string, stat: (path: string) => Stats): Stats | undefined {
  try {
    return stat(path);
  } catch (error) {
    if (NOTHING.has(systemCode(error))) return undefined;
    throw diskTrouble(error, `read ${path}`, path);
  }
}
