import { readFileSync } from "node:fs";
import { systemCode } from "../base/system-code.ts";

/**
 * @param pid - Of this process, or of another one, which may have ended.
 * @returns How many files and connections the process may open; `undefined` when any number, or when that is not known.
 */
export function descriptorLimit(pid = process.pid): number | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    return soft === undefined || soft === "unlimited" ? undefined : Number(soft);
  } catch (error) {
    // Another system, or the process has just ended.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
