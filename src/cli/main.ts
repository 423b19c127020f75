import { failWith } from "./command-frame.ts";
import { runProgram } from "./program.ts";

// The reader of a pipe may leave early (`| head`): then there is nobody to write for (CLI-5).
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

// No `await` here: a bundle of CommonJS, which starts faster than modules do, has none at its top.
runProgram(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = failWith(error, process.argv.includes("--json"));
});
