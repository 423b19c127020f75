import { failWith } from "./command-frame.ts";
import { runProgram } from "./program.ts";

// No `await` here: a bundle of CommonJS, which starts faster than modules do, has none at its top.
runProgram(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = failWith(error, process.argv.includes("--json"));
});
