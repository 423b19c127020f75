import { fstatSync, writeSync } from "node:fs";
import type { OutputConfiguration } from "commander";
import { EXIT } from "./exit-code.ts";

const FILE_NUMBERS = { stdout: 1, stderr: 2 } as const;
type StreamName = keyof typeof FILE_NUMBERS;

const guarded = new Set<StreamName>();

/** A standard stream of the process. Its reader may leave early (`| head`): the output then has no reader (CLI-5). */
export function standardStream(name: StreamName): NodeJS.WriteStream {
  const stream = process[name];
  if (!guarded.has(name)) {
    guarded.add(name);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      const words = `everseed: Cannot write the output: ${error.message}.`;
      if (name === "stdout") writeNow("stderr", `${words}\n  Try: write it where there is room.\n`);
      process.exit(EXIT.disk);
    });
  }
  return stream;
}

/**
 * Writes help at once and without a stream, because making a stream takes as long as the rest of showing help.
 * Terminals get their stream, because their width and colours matter.
 */
export const HELP_OUTPUT: OutputConfiguration = {
  writeOut: (text) => writeNow("stdout", text),
  writeErr: (text) => writeNow("stderr", text),
  getOutHelpWidth: () => terminal("stdout")?.columns ?? WIDTH_UNKNOWN,
  getErrHelpWidth: () => terminal("stderr")?.columns ?? WIDTH_UNKNOWN,
  getOutHasColors: () => terminal("stdout")?.hasColors() ?? false,
  getErrHasColors: () => terminal("stderr")?.hasColors() ?? false,
};

/** Columns when the width is unknown. */
const WIDTH_UNKNOWN = 80;

function terminal(name: StreamName): NodeJS.WriteStream | undefined {
  if (!mayBeTerminal(FILE_NUMBERS[name])) return undefined;
  const stream = standardStream(name);
  return stream.isTTY ? stream : undefined;
}

/** `/dev/null` is a device like terminals, but of the memory class. */
const MEMORY_DEVICES = 1;

function mayBeTerminal(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isCharacterDevice() && found.rdev >> 8 !== MEMORY_DEVICES;
  } catch {
    // It was closed before we began: the stream handles that.
    return true;
  }
}

function writeNow(name: StreamName, text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(FILE_NUMBERS[name], rest));
  } catch {
    // The pipe is full, or its reader left: the stream waits, or reports it.
    standardStream(name).write(rest);
  }
}
