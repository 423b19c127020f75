import { failWith } from "./command-frame.ts";
import { runProgram } from "./program.ts";

// The reader of a pipe may leave early (`| head`): then there is nobody to write for (CLI-5).
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

try {
  await runProgram(process.argv.slice(2));
} catch (error) {
  process.exitCode = failWith(error, process.argv.includes("--json"));
}
