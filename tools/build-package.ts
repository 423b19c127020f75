import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Makes what `npm pack` ships: `dist/`, the compiled `src/` (Node strips no types inside
 * `node_modules`), and `web/dist/`, the pages, where `src/` and `dist/` both find them.
 */
const repository = resolve(import.meta.dirname, "..");

rmSync(join(repository, "dist"), { recursive: true, force: true });
run(join(repository, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"]);
run(process.execPath, ["tools/build-pages.ts"]);
for (const made of ["dist/cli/main.js", "web/dist"]) {
  if (!existsSync(join(repository, made))) throw new Error(`${made} was not built`);
}

function run(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: repository, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
