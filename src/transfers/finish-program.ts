import { toHex } from "../base/bytes.ts";
import type { Log } from "../ports/log.ts";
import type { Programs } from "../ports/programs.ts";
import type { TransferEvent } from "./transfer-events.ts";

/** Programs at one time. */
const RUNNING_MAX = 2;
/** Finished transfers that wait for their program; later ones are told in the log only. */
const WAITING_MAX = 1_000;
const RUN_MS_MAX = 10 * 60_000;
const OUTPUT_BYTES_MAX = 4 * 1024;

export interface FinishProgramParts {
  /** The program and its arguments, with `{name}` and the like in them. From the configuration file alone (HUB-14). */
  readonly argv: readonly string[];
  readonly programs: Programs;
  readonly log: Log;
}

/** Runs the owner's program for each transfer that is finished. */
export class FinishProgram {
  readonly #parts: FinishProgramParts;
  readonly #waiting: TransferEvent[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(parts: FinishProgramParts) {
    this.#parts = parts;
  }

  handle(event: TransferEvent): void {
    if (event.kind !== "finished" || this.#stop.signal.aborted) return;
    if (this.#waiting.length >= WAITING_MAX) {
      const { log } = this.#parts;
      log.warn("the program for finished transfers is not run: too many wait", { id: event.id });
      return;
    }
    this.#waiting.push(event);
    this.#next();
  }

  /** Ends the programs that run; those that wait are not run. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#waiting.length = 0;
    await Promise.all(this.#running);
  }

  #next(): void {
    while (this.#running.size < RUNNING_MAX) {
      const event = this.#waiting.shift();
      if (!event) return;
      const run = this.#run(event).finally(() => {
        this.#running.delete(run);
        this.#next();
      });
      this.#running.add(run);
    }
  }

  /** Never rejects. */
  async #run(event: TransferEvent): Promise<void> {
    const { argv, programs, log } = this.#parts;
    const told = { id: event.id, program: argv[0] };
    try {
      const { exit, isTimedOut, output } = await programs.run({
        argv: argv.map((argument) => filled(argument, event)),
        variables: variablesOf(event),
        timeoutMs: RUN_MS_MAX,
        outputBytesMax: OUTPUT_BYTES_MAX,
        signal: this.#stop.signal,
      });
      const fields = { ...told, exit: exit ?? null, output };
      if (exit === 0) log.info("the program for a finished transfer has run", fields);
      else if (isTimedOut) log.warn("the program for a finished transfer took too long", fields);
      else log.warn("the program for a finished transfer has failed", fields);
    } catch (error) {
      log.error("the program for a finished transfer could not be run", {
        ...told,
        why: String(error),
      });
    }
  }
}

/** An argument with the values of a transfer. One that would begin like an option because of its name does not. */
function filled(argument: string, event: TransferEvent): string {
  const values = valuesOf(event);
  const text = argument.replace(/\{(\w+)\}/g, (whole, word: string) => values.get(word) ?? whole);
  return text.startsWith("-") && !argument.startsWith("-") ? `./${text}` : text;
}

function valuesOf(event: TransferEvent): ReadonlyMap<string, string> {
  const { id, infohashes, name, folder, path, label, size } = event;
  const { v1, v2 } = infohashes;
  const values: readonly (readonly [string, string | undefined])[] = [
    ["id", id],
    ["infohash", toHex((v1 ?? v2)!)],
    ["name", name],
    ["folder", folder],
    ["path", path],
    ["label", label],
    ["size", size?.toString()],
  ];
  // No system passes a NUL on.
  return new Map(values.map(([word, value]) => [word, (value ?? "").replaceAll("\0", "")]));
}

/** `EVERSEED_ID`, `EVERSEED_NAME` and the like. */
function variablesOf(event: TransferEvent): Record<string, string> {
  const variables: Record<string, string> = { EVERSEED_EVENT: event.kind };
  for (const [word, value] of valuesOf(event)) {
    variables[`EVERSEED_${word.toUpperCase()}`] = value;
  }
  return variables;
}
