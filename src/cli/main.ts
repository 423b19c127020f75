import { failWith } from "./command-frame.ts";
import { runProgram } from "./program.ts";

// No `await` here: a CommonJS bundle, which starts faster than modules, has no top-level await.
runProgram(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = failWith(error, process.argv.includes("--json"));
});
