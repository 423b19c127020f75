import { Worker } from "node:worker_threads";

/** The task of a worker; all of it can be copied or shared between threads. */
export interface FuzzJob {
  readonly moduleUrl: string;
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  /** Two 32-bit numbers, see `HEARTBEAT` and `INPUT_LENGTH`. */
  readonly control: SharedArrayBuffer;
  /** The input of the current execution. */
  readonly input: SharedArrayBuffer;
}

/** Index in `control`: counts executions. */
export const HEARTBEAT = 0;
/** Index in `control`: how many bytes of `input` are valid. */
export const INPUT_LENGTH = 1;

const INPUT_BYTES_MAX = 64 * 1024;

export interface FuzzReport {
  readonly executions: number;
  readonly accepted: number;
  readonly crash: { readonly input: Uint8Array; readonly error: string } | undefined;
}

/**
 * Fuzzes one target in a separate thread.
 *
 * @param options.hangMs - An execution that takes longer counts as a crash.
 */
export function runTarget(options: {
  readonly moduleUrl: string;
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  readonly hangMs: number;
}): Promise<FuzzReport> {
  const { hangMs, ...rest } = options;
  const job: FuzzJob = {
    ...rest,
    control: new SharedArrayBuffer(8),
    input: new SharedArrayBuffer(INPUT_BYTES_MAX),
  };
  const control = new Int32Array(job.control);
  const worker = new Worker(new URL("./fuzz-worker.ts", import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => {
    let beat = 0;
    const watch = setInterval(() => {
      const now = Atomics.load(control, HEARTBEAT);
      if (now === 0 || now !== beat) {
        beat = now;
        return;
      }
      clearInterval(watch);
      void worker.terminate();
      const input = new Uint8Array(job.input).slice(0, control[INPUT_LENGTH]);
      const error = `no answer within ${hangMs} ms`;
      resolve({ executions: now, accepted: 0, crash: { input, error } });
    }, hangMs);
    worker.on("message", (report: FuzzReport) => {
      clearInterval(watch);
      resolve(report);
    });
    worker.on("error", (error) => {
      clearInterval(watch);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}
