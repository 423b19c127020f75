import type { NodeStatus } from "../api/node.ts";
import { formatBytes } from "../base/format-bytes.ts";
import { isoTime } from "../base/iso-time.ts";

/** What `everseed doctor` says of one thing that it looked at. */
export interface Finding {
  /** A stable word for programs: `clock`. */
  readonly check: string;
  /** `fail`: something does not work, or will not. */
  readonly state: "ok" | "warn" | "fail";
  /** One or two sentences. They may hold text from outside. */
  readonly words: string;
  /** What to do; `undefined` when there is nothing to do. */
  readonly remedy: string | undefined;
}

const SECOND_MS = 1_000;
/** Less is the way of the answer through the network. */
const CLOCK_WARNS_MS = 30 * SECOND_MS;
/** Certificates, tokens and signed items are refused. */
const CLOCK_FAILS_MS = 3_600 * SECOND_MS;
/** The year 2026: before that this program was not written. */
const CLOCK_BEGINS_MS = 1_767_225_600_000;

const MEBIBYTE = 1024 * 1024;
const SPACE_WARNS_BYTES = 1024 * MEBIBYTE;
const SPACE_FAILS_BYTES = 64 * MEBIBYTE;

/** For files, the sockets of the program itself and the database, in addition to peers. */
const OTHER_DESCRIPTORS = 256;
const DESCRIPTORS_MIN = 128;

/** Kinds of file systems by the numbers that Linux gives them, where content or a database meets trouble. */
const FILE_SYSTEMS: ReadonlyMap<number, { name: string; trouble: "memory" | "shared" | "layer" }> =
  new Map([
    [0x0102_1994, { name: "tmpfs", trouble: "memory" }],
    [0x8584_58f6, { name: "ramfs", trouble: "memory" }],
    [0x6969, { name: "NFS", trouble: "shared" }],
    [0xff53_4d42, { name: "CIFS", trouble: "shared" }],
    [0xfe53_4d42, { name: "SMB", trouble: "shared" }],
    [0x517b, { name: "SMB", trouble: "shared" }],
    [0x794c_7630, { name: "overlay", trouble: "layer" }],
  ]);
const FAT = 0x4d44;

export function fine(check: string, words: string): Finding {
  return { check, state: "ok", words, remedy: undefined };
}

export function warns(check: string, words: string, remedy: string): Finding {
  return { check, state: "warn", words, remedy };
}

export function fails(check: string, words: string, remedy: string): Finding {
  return { check, state: "fail", words, remedy };
}

/**
 * @param tracker - Scheme, host and port of whoever told its time.
 * @param aheadMs - How much this machine's clock is ahead of it.
 */
export function judgeClock(tracker: string, aheadMs: number, nowMs: number): Finding {
  const off = Math.abs(aheadMs);
  if (off < CLOCK_WARNS_MS) return fine("clock", `The clock agrees with ${tracker}.`);
  const words = `The clock is ${spanOf(off)} ${aheadMs > 0 ? "ahead of" : "behind"} ${tracker}.`;
  const remedy = "timedatectl set-ntp true, unless the other clock is wrong";
  if (nowMs < CLOCK_BEGINS_MS || off >= CLOCK_FAILS_MS) {
    return fails("clock", `${words} Certificates and sign-ins are refused.`, remedy);
  }
  return warns("clock", `${words} Announces work, tokens may not.`, remedy);
}

/** Without anybody to compare with. */
export function judgeClockAlone(nowMs: number): Finding {
  const today = isoTime(nowMs).slice(0, 10);
  if (nowMs >= CLOCK_BEGINS_MS) {
    return fine("clock", `It is ${today} here. No tracker over HTTP was there to compare with.`);
  }
  return fails("clock", `The clock says ${today}.`, "timedatectl set-ntp true");
}

/** A folder on its disk. */
export interface DiskFacts {
  readonly folder: string;
  /** What is kept there: "state", "content". */
  readonly use: "state" | "content";
  readonly freeBytes: number | undefined;
  readonly freeInodes: number | undefined;
  /** What Linux calls `f_type`. */
  readonly kind: number;
}

export function judgeDisk({ folder, use, freeBytes, freeInodes, kind }: DiskFacts): Finding {
  const where = `The folder for ${use}, ${folder},`;
  const check = use === "state" ? "state" : "content";
  if (freeInodes === 0) {
    return fails(check, `${where} is on a disk that takes no more files.`, "remove some files");
  }
  if (freeBytes !== undefined && freeBytes < SPACE_FAILS_BYTES) {
    const remedy =
      use === "state"
        ? "free space, or everseed config set dataDir PATH"
        : "free space, or everseed config set transfers.folder PATH";
    return fails(check, `${where} is on a full disk (${formatBytes(freeBytes)} free).`, remedy);
  }
  const system = FILE_SYSTEMS.get(kind);
  if (system?.trouble === "memory") {
    const words = `${where} is in memory (${system.name}): a restart of the machine loses it.`;
    return warns(check, words, "a folder on a disk");
  }
  if (system?.trouble === "layer" && use === "state") {
    const words = `${where} is in the layer of a container (${system.name}), and ends with it.`;
    return warns(check, words, "mount a volume there");
  }
  if (system?.trouble === "shared" && use === "state") {
    const words = `${where} is on another machine (${system.name}): a database can break there.`;
    return warns(check, words, "everseed config set dataDir PATH, on a disk of this machine");
  }
  if (kind === FAT && use === "content") {
    const words = `${where} is on FAT, which takes no file of 4 GiB and more.`;
    return warns(check, words, "another disk, or exFAT");
  }
  if (freeBytes === undefined) return fine(check, `${where} can be written.`);
  if (freeBytes < SPACE_WARNS_BYTES) {
    return warns(check, `${where} has ${formatBytes(freeBytes)} left.`, "free some space soon");
  }
  return fine(check, `${where} can be written, and has ${formatBytes(freeBytes)} left.`);
}

/** @param limit - Files and connections that the process may open; `undefined` without a limit. */
export function judgeDescriptors(limit: number | undefined, connectionsMax: number): Finding {
  const wanted = connectionsMax + OTHER_DESCRIPTORS;
  if (limit === undefined || limit >= wanted) {
    return fine("descriptors", `${limit ?? "Any number of"} files and connections may be open.`);
  }
  const words = `Only ${limit} files and connections may be open; ${connectionsMax} peers and the rest want ${wanted}.`;
  const remedy = `ulimit -n ${Math.max(4096, wanted)} before the start, LimitNOFILE= in a service, or a smaller engine.connectionsMax`;
  return limit < DESCRIPTORS_MIN
    ? fails("descriptors", words, remedy)
    : warns("descriptors", words, remedy);
}

/** What a running node says of itself. @param version - Of this program. */
export function judgeNode(status: NodeStatus, version: string): Finding[] {
  const running = `everseed ${status.version} runs as process ${status.pid}, since ${status.startedAt}.`;
  const found =
    status.version === version
      ? fine("node", running)
      : warns(
          "node",
          `${running} This program is ${version}.`,
          status.supervised ? "systemctl restart everseed" : "everseed daemon restart",
        );
  const services = status.services
    // One that somebody turned off is no trouble; what it means for peers is said by the DHT and the router.
    .filter(({ name, state }) => state !== "off" || name === "dht" || name === "router")
    .map(({ name, state, words, remedy }): Finding => {
      const verdict = state === "fails" ? "fail" : state === "warns" ? "warn" : "ok";
      const isTrouble = verdict !== "ok";
      const fix = remedy ?? (isTrouble ? "everseed daemon logs shows what it does" : undefined);
      return { check: name, state: verdict, words, remedy: fix };
    });
  return [found, ...services];
}

function spanOf(ms: number): string {
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  const hours = Math.round(seconds / 3_600);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
