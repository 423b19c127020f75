import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { makeFolders } from "../platform/node-files.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { OURS, serviceUnit, SYSUSERS } from "./service-unit.ts";

const SYSTEMCTL_MS_MAX = 60_000;
const run = promisify(execFile);

/** What became of a service file, and what the service manager said to it. */
export interface ServiceChange {
  readonly unit: string;
  /** Programs of the system that could not do their part, with what they said. */
  readonly troubles: readonly string[];
}

/** The unit that `installService` writes. */
export function unitText(isSystem: boolean): string {
  return serviceUnit({ program: launcher(), isSystem, home: homeOf(isSystem) });
}

/**
 * Writes the unit, and has systemd read it.
 *
 * @param isNow - Start the node too, now and at each start of the machine.
 * @throws {CommandError} (rejects) `exists` when the file is not ours; `not-writable` and others of the disk.
 */
export async function installService(isSystem: boolean, isNow: boolean): Promise<ServiceChange> {
  const { unit, sysusers } = filesOf(isSystem);
  await writeOurs(unit, unitText(isSystem));
  const troubles: (string | undefined)[] = [];
  if (sysusers !== undefined) {
    await writeOurs(sysusers, SYSUSERS);
    troubles.push(await tell("systemd-sysusers", [sysusers]));
  }
  troubles.push(await systemctl(isSystem, "daemon-reload"));
  if (isNow) troubles.push(await systemctl(isSystem, "enable", "--now", "everseed.service"));
  return { unit, troubles: troubles.filter((trouble) => trouble !== undefined) };
}

/**
 * Stops the service and removes its files; settings and state stay.
 *
 * @returns `undefined` when it was not installed.
 * @throws {CommandError} (rejects) As `installService`.
 */
export async function uninstallService(isSystem: boolean): Promise<ServiceChange | undefined> {
  const { unit, sysusers } = filesOf(isSystem);
  if (!existsSync(unit)) return undefined;
  demandOurs(unit);
  const stopped = await systemctl(isSystem, "disable", "--now", "everseed.service");
  remove(unit);
  if (sysusers !== undefined && existsSync(sysusers)) {
    demandOurs(sysusers);
    remove(sysusers);
  }
  const reloaded = await systemctl(isSystem, "daemon-reload");
  return { unit, troubles: [stopped, reloaded].filter((trouble) => trouble !== undefined) };
}

function filesOf(isSystem: boolean): { unit: string; sysusers: string | undefined } {
  if (isSystem) {
    return {
      unit: "/etc/systemd/system/everseed.service",
      sysusers: "/etc/sysusers.d/everseed.conf",
    };
  }
  const config = process.env["XDG_CONFIG_HOME"];
  const folder = config?.startsWith("/") ? config : join(homedir(), ".config");
  return { unit: join(folder, "systemd/user/everseed.service"), sysusers: undefined };
}

/** The launcher beside this program, whether it runs from the bundle or from its sources. */
function launcher(): string {
  const path = resolve(dirname(process.argv[1] ?? ""), "../../bin/everseed");
  if (existsSync(path)) return path;
  throw new CommandError("not-found", `The launcher is not in ${path}.`, { subject: path });
}

function homeOf(isSystem: boolean): string | undefined {
  const home = process.env["EVERSEED_HOME"];
  return home && !isSystem ? resolve(home) : undefined;
}

async function writeOurs(path: string, text: string): Promise<void> {
  demandOurs(path);
  try {
    await makeFolders(dirname(path));
    await new NodeUserFiles().write(path, Buffer.from(text));
  } catch (error) {
    throw diskTrouble(error, `write ${path}`, path);
  }
}

/** A file of somebody else is neither replaced nor removed. */
function demandOurs(path: string): void {
  if (!existsSync(path) || readFileSync(path, "utf8").startsWith(OURS)) return;
  throw new CommandError("exists", `${path} was not written by this command.`, {
    subject: path,
    hint: "move it away first. everseed daemon install --print shows what would stand there.",
  });
}

function remove(path: string): void {
  try {
    rmSync(path);
  } catch (error) {
    throw diskTrouble(error, `write to ${dirname(path)}`, path);
  }
}

function systemctl(isSystem: boolean, ...args: readonly string[]): Promise<string | undefined> {
  return tell("systemctl", isSystem ? args : ["--user", ...args]);
}

/** @returns What the program said when it failed. */
async function tell(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    await run(program, args, { timeout: SYSTEMCTL_MS_MAX });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    const why = systemCode(error) === "ENOENT" ? "there is no such program" : said;
    return `${[program, ...args].join(" ")}: ${why || String(error)}`;
  }
}
