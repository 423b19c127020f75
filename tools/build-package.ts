import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Makes what `npm pack` ships: `dist/`, the program as one bundle (Node strips no types inside `node_modules`),
 * and `web/dist/`, the pages, where `src/` and the bundle both find them.
 */
const repository = resolve(import.meta.dirname, "..");

run(process.execPath, ["tools/build-pages.ts"]);
run(process.execPath, ["tools/build-program.ts", "--force"]);
for (const made of ["dist/program/everseed.cjs", "web/dist"]) {
  if (!existsSync(join(repository, made))) throw new Error(`${made} was not built`);
}

function run(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: repository, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
