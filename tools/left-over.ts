import { readdirSync, readFileSync } from "node:fs";

/** A process that outlived the tests. */
export interface LeftOver {
  readonly pid: number;
  readonly command: string;
}

/**
 * The processes whose environment has a variable with this value, without the asking one. Those that tests start inherit
 * it; a node in the background has no parent by which it could be found.
 *
 * @returns Nothing on a system without /proc.
 */
export function leftOver(variable: string, value: string): readonly LeftOver[] {
  const wanted = `${variable}=${value}`;
  const found: LeftOver[] = [];
  for (const name of entriesOf("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Zombies and the processes of others have no readable environment.
    if (!textOf(`/proc/${pid}/environ`).split("\0").includes(wanted)) continue;
    found.push({ pid, command: textOf(`/proc/${pid}/cmdline`).split("\0").join(" ").trim() });
  }
  return found;
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
