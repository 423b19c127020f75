import { spawnSync } from "node:child_process";

// npm puts node_modules/.bin on the PATH; the arguments (paths, --fix) go on to oxlint.
const { status, error } = spawnSync(
  "oxlint",
  [
    "--type-aware",
    "--deny-warnings",
    "--report-unused-disable-directives",
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);
if (error) throw error;
process.exitCode = status ?? 1;
