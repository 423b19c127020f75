import { parentPort, workerData } from "node:worker_threads";
import { fuzz } from "./fuzz.ts";
import { HEARTBEAT, INPUT_LENGTH, type FuzzJob, type FuzzReport } from "./fuzz-job.ts";
import type { FuzzTargetModule } from "./target.ts";

// Runs one target. The next input is in shared memory, so that the watching thread knows the input of a run that
// never ends.

const job = workerData as FuzzJob;
const { targets } = (await import(job.moduleUrl)) as FuzzTargetModule;
const target = targets.find(({ name }) => name === job.target);
if (!target) throw new Error(`${job.moduleUrl} has no target ${job.target}`);

const control = new Int32Array(job.control);
const shared = new Uint8Array(job.input);
const end = performance.now() + job.seconds * 1000;
const result = fuzz(target, {
  seed: job.seed,
  goOn: (executions, input) => {
    control[INPUT_LENGTH] = Math.min(input.length, shared.length);
    shared.set(input.subarray(0, shared.length));
    Atomics.add(control, HEARTBEAT, 1);
    return (executions & 63) !== 0 || performance.now() < end;
  },
});
const report: FuzzReport = {
  executions: result.executions,
  accepted: result.accepted,
  crash: result.crash && {
    input: result.crash.input,
    error:
      result.crash.error instanceof Error
        ? String(result.crash.error.stack)
        : String(result.crash.error),
  },
};
parentPort!.postMessage(report);
