import { fstatSync, writeSync } from "node:fs";
import type { OutputConfiguration } from "commander";
import { EXIT } from "./exit-code.ts";

const FILE_NUMBERS = { stdout: 1, stderr: 2 } as const;
type StreamName = keyof typeof FILE_NUMBERS;

const guarded = new Set<StreamName>();

/** A standard stream of the process. Its reader may leave early (`| head`): then there is nobody to write for (CLI-5). */
export function standardStream(name: StreamName): NodeJS.WriteStream {
  const stream = process[name];
  if (!guarded.has(name)) {
    guarded.add(name);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      const words = `everseed: Cannot write the output: ${error.message}.`;
      if (name === "stdout") writeNow("stderr", `${words}\n  Try: where there is room.\n`);
      process.exit(EXIT.disk);
    });
  }
  return stream;
}

/**
 * How help is written: at once and without a stream, because to make one takes as long as all the rest of showing
 * help. Terminals, whose width and colours matter, get their stream.
 */
export const HELP_OUTPUT: OutputConfiguration = {
  writeOut: (text) => writeNow("stdout", text),
  writeErr: (text) => writeNow("stderr", text),
  getOutHelpWidth: () => terminal("stdout")?.columns ?? WIDTH_UNKNOWN,
  getErrHelpWidth: () => terminal("stderr")?.columns ?? WIDTH_UNKNOWN,
  getOutHasColors: () => terminal("stdout")?.hasColors() ?? false,
  getErrHasColors: () => terminal("stderr")?.hasColors() ?? false,
};

/** Columns where nobody knows how many there are. */
const WIDTH_UNKNOWN = 80;

function terminal(name: StreamName): NodeJS.WriteStream | undefined {
  if (!mayBeTerminal(FILE_NUMBERS[name])) return undefined;
  const stream = standardStream(name);
  return stream.isTTY ? stream : undefined;
}

/** `/dev/null` is a device as terminals are, of the kind that is memory. */
const MEMORY_DEVICES = 1;

function mayBeTerminal(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isCharacterDevice() && found.rdev >> 8 !== MEMORY_DEVICES;
  } catch {
    // It was closed before we began: the stream knows what to do.
    return true;
  }
}

function writeNow(name: StreamName, text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(FILE_NUMBERS[name], rest));
  } catch {
    // A pipe that is full, or a reader that left: the stream waits, or says so.
    standardStream(name).write(rest);
  }
}
