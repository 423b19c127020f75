import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { VERSION } from "../../src/base/version.ts";
import { layOut } from "./package-tree.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const MACHINES: Readonly<Record<string, string>> = { amd64: "x64", arm64: "arm64" };
const HERE = process.arch === "arm64" ? "arm64" : "amd64";
/** zstd is fast, for tests; every Debian and derivative reads xz. */
const COMPRESSION: Readonly<Record<string, readonly string[]>> = {
  xz: ["-Zxz", "-z6"],
  zstd: ["-Zzstd", "-z1"],
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: "." },
      version: { type: "string", default: VERSION },
      arch: { type: "string", default: HERE },
      compression: { type: "string", default: "xz" },
    },
  });
  const { arch, version } = values;
  const machine = MACHINES[arch];
  const how = COMPRESSION[values.compression];
  if (machine === undefined || how === undefined) throw new Error("see tools/build-deb");
  const node = join(REPOSITORY, `node_modules/node-linux-${machine}/bin/node`);
  if (!existsSync(node)) {
    throw new Error(`There is no Node for ${machine}. Run npm ci --cpu=${machine} --os=linux`);
  }
  run(["tools/build-pages.ts"]);
  run(["tools/build-program.ts"]);
  const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? lastCommit());
  const tree = mkdtempSync(join(tmpdir(), "everseed-deb-"));
  try {
    await layOut({ repository: REPOSITORY, tree, version, arch, machine, node, epoch });
    const file = resolve(values.out, `everseed_${version}_${arch}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", ...how, "--build", tree, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ["ignore", "ignore", "inherit"],
    });
    console.log(file);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function lastCommit(): string {
  const git = ["-C", REPOSITORY, "log", "-1", "--format=%ct"];
  return execFileSync("git", git, { encoding: "utf8" }).trim();
}

function run(args: readonly string[]): void {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: REPOSITORY,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

await main();
