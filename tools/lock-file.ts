/**
 * Our requirements for package-lock.json, in addition to npm's. `npm run lint` refuses violations.
 *
 *   tools/run node tools/lock-file.ts --mend     after a dependency was changed with npm
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "..");
const file = join(repository, "package-lock.json");

/** An entry of `packages` in a lock file of version 3, as far as this file uses it. */
export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly optional?: boolean;
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
}

/** Keys are paths such as `node_modules/hono`; the empty one is the project. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** Packages that may lack `integrity`, each with the reason. None has one today. */
const WITHOUT_INTEGRITY: ReadonlyMap<string, string> = new Map();

/** @returns One sentence for each fault; empty when there is none. */
export function faultsOfLock(
  packages: LockedPackages,
  withoutIntegrity: ReadonlyMap<string, string> = WITHOUT_INTEGRITY,
): string[] {
  const faults: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (path === "") continue;
    // npm then accepts whatever the registry sends, and notices nothing.
    if (entry.integrity === undefined && !withoutIntegrity.has(path)) {
      faults.push(`${path} has no integrity.`);
    }
    // npm omits an optional package whose engines its own Node does not match, such as the native half of Vite
    // with Debian's Node 18. Ours run on the Node that Everseed brings.
    if (entry.engines !== undefined) faults.push(`${path} names engines.`);
  }
  for (const path of withoutIntegrity.keys()) {
    if (packages[path]?.integrity !== undefined || packages[path] === undefined) {
      faults.push(`${path} needs no exception: it has integrity, or is not there.`);
    }
  }
  return faults;
}

export function readLock(): LockedPackages {
  return parseLock().packages;
}

/** Removes the faulty entries, has npm fetch them from the registry, and removes the engines of the new ones. */
function mend(): void {
  rewrite((packages) =>
    Object.fromEntries(
      Object.entries(packages).filter(
        ([path, { integrity }]) => path === "" || integrity !== undefined,
      ),
    ),
  );
  const { status, error } = spawnSync(
    "npm",
    ["install", "--package-lock-only", "--ignore-scripts"],
    { cwd: repository, stdio: "inherit" },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`npm install failed with ${status}`);
  rewrite((packages) =>
    Object.fromEntries(
      Object.entries(packages).map(([path, entry]) => {
        if (path === "") return [path, entry];
        const { engines: _, ...rest } = entry;
        return [path, rest];
      }),
    ),
  );
}

function rewrite(change: (packages: LockedPackages) => LockedPackages): void {
  const lock = parseLock();
  const text = JSON.stringify({ ...lock, packages: change(lock.packages) }, null, 2);
  writeFileSync(file, `${text}\n`);
}

function parseLock(): { readonly packages: LockedPackages } {
  // npm wrote it.
  return JSON.parse(readFileSync(file, "utf8")) as { packages: LockedPackages };
}

if (import.meta.main) {
  if (process.argv.includes("--mend")) mend();
  for (const fault of faultsOfLock(readLock())) {
    console.error(`package-lock.json: ${fault}`);
    process.exitCode = 1;
  }
}
