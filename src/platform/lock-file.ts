import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { PlatformError } from "./platform-error.ts";
import { temporaryPath } from "./temporary-name.ts";

/** Tries for a stale lock that others take over at the same moment; a few always suffice. */
const TRIES_MAX = 10;

/**
 * The holder of a lock. A pid identifies a process only together with its boot and its start time.
 */
interface Holder {
  readonly pid: number;
  readonly bootId: string;
  /**
   * Clock ticks from boot to the start of the process; empty where the system does not provide it.
   */
  readonly startTicks: string;
}

/** Keeps a second program out of a folder until `release` or the end of the process. */
export interface LockFile {
  /** Safe to repeat, and safe to call while the process exits. */
  release(): void;
}

/**
 * Takes the lock at `path` (STO-10). Takes over a lock whose process is gone after a crash or a
 * reboot.
 *
 * @throws {PlatformError} `locked`, naming the process that holds it.
 */
export function takeLock(path: string): LockFile {
  const text = JSON.stringify(holderOf(process.pid));
  const prepared = temporaryPath(path, `${process.pid}-lock`);
  // Written first and then linked into place, so that nobody reads half a lock.
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
    throw new PlatformError("locked", `${path} keeps being taken and released by other programs`);
  } finally {
    rmSync(prepared, { force: true });
  }
}

/** True while a process holds the lock at `path`. */
export function isLocked(path: string): boolean {
  return lockHolder(path) !== undefined;
}

/** @returns The id of the process that holds the lock at `path`; `undefined` when none does. */
export function lockHolder(path: string): number | undefined {
  const found = readIfThere(path);
  const holder = found === undefined ? undefined : parseHolder(found);
  return holder && isAlive(holder) ? holder.pid : undefined;
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

/** Moves the stale lock away; if it moved someone's new lock instead, puts that back. */
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

/** @returns False when something already exists at `path`. */
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
    // EPERM means that the process exists but belongs to another user.
    if (codeOf(error) !== "EPERM") return false;
  }
  // A zombie: it has exited, and its parent has not reaped it. In a container without an init it
  // stays for ever.
  if (statFields(holder.pid)[0] === "Z") return false;
  // A later process may have the same pid.
  return holder.startTicks === startTicks(holder.pid);
}

function bootId(): string {
  return readIfThere("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function startTicks(pid: number): string {
  return statFields(pid)[19] ?? "";
}

/** The system's status fields of a process, from its state on; empty when it does not exist. */
function statFields(pid: number): string[] {
  const text = readIfThere(`/proc/${pid}/stat`) ?? "";
  // The program's name stands in parentheses and may hold any characters, even spaces.
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
