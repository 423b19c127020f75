import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { PlatformError } from "./platform-error.ts";
import { temporaryPath } from "./temporary-name.ts";

/** Others that take over the same stale lock at the same moment: a few tries always suffice. */
const TRIES_MAX = 10;

/** Who holds a lock: a process is its number only together with the boot and the start it belongs to. */
interface Holder {
  readonly pid: number;
  readonly bootId: string;
  /** Clock ticks from boot to the start of the process; empty where the system does not tell. */
  readonly startTicks: string;
}

/** Keeps a second program out of a folder; held until `release` or the end of the process. */
export interface LockFile {
  /** Safe to repeat, and to call while the process exits. */
  release(): void;
}

/**
 * Takes the lock at `path` (STO-10). A lock whose process is gone, after a crash or a reboot, is taken
 * over.
 *
 * @throws {PlatformError} `locked`, naming the process that holds it.
 */
export function takeLock(path: string): LockFile {
  const text = JSON.stringify(holderOf(process.pid));
  const prepared = temporaryPath(path, `${process.pid}-lock`);
  // Prepared first and linked into place: nobody ever reads half a lock.
  rmSync(prepared, { force: true });
  writeFileSync(prepared, text, { mode: 0o600, flag: "wx" });
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (linked(prepared, path)) return heldLock(path, text);
      const found = readIfThere(path);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder && isAlive(holder)) throw lockedBy(path, holder.pid);
      removeStale(path, found);
    }
    throw new PlatformError("locked", `${path} is taken and given up by others all the time`);
  } finally {
    rmSync(prepared, { force: true });
  }
}

/** True while a process holds the lock at `path`. */
export function isLocked(path: string): boolean {
  const found = readIfThere(path);
  const holder = found === undefined ? undefined : parseHolder(found);
  return holder !== undefined && isAlive(holder);
}

function heldLock(path: string, text: string): LockFile {
  let held = true;
  return {
    release() {
      if (held && readIfThere(path) === text) rmSync(path, { force: true });
      held = false;
    },
  };
}

function lockedBy(path: string, pid: number): PlatformError {
  return new PlatformError("locked", `process ${pid} is at work there (it holds ${path})`);
}

/** Moves the stale lock away; if that caught somebody's new lock instead, puts it back. */
function removeStale(path: string, stale: string): void {
  const aside = temporaryPath(path, `${process.pid}-stale`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (readIfThere(aside) !== stale) linked(aside, path);
  rmSync(aside, { force: true });
}

/** @returns False when something is at `path` already. */
function linked(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function holderOf(pid: number): Holder {
  return { pid, bootId: bootId(), startTicks: startTicks(pid) };
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== bootId()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // A process of another user may not be signalled, but it is there.
    if (codeOf(error) !== "EPERM") return false;
  }
  // It ended and only waits for its parent to notice, for ever in a container without an init.
  if (statFields(holder.pid)[0] === "Z") return false;
  // The number may have gone to a later process.
  return holder.startTicks === startTicks(holder.pid);
}

function bootId(): string {
  return readIfThere("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function startTicks(pid: number): string {
  return statFields(pid)[19] ?? "";
}

/** What the system tells of a process, from its state on; empty when there is none. */
function statFields(pid: number): string[] {
  const text = readIfThere(`/proc/${pid}/stat`) ?? "";
  // The name of the program stands in parentheses and may hold anything, spaces too.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function parseHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("pid" in value) || !("bootId" in value) || !("startTicks" in value)) return undefined;
  const { pid, bootId: boot, startTicks: start } = value;
  if (typeof pid !== "number" || typeof boot !== "string" || typeof start !== "string")
    return undefined;
  return Number.isSafeInteger(pid) && pid > 0
    ? { pid, bootId: boot, startTicks: start }
    : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
