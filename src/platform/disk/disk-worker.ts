import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../../base/errors.ts";
import { claimFile, setFileAside } from "./claim-jobs.ts";
import { ContentIo } from "./content-io.ts";
import type {
  DiskJob,
  DiskNotice,
  DiskOutcomeMessage,
  DiskReply,
  DiskTask,
  FramedMemory,
  HashJob,
  MemoryRun,
} from "./disk-job.ts";
import { DiskRefusal } from "./disk-refusal.ts";
import { HashJobs } from "./hash-jobs.ts";
import { inTurns } from "./in-turns.ts";
import { DescriptorBudget } from "./open-files.ts";
import { leavePartFile, setWanted } from "./part-file-jobs.ts";
import { type Frames, PieceJobs } from "./piece-jobs.ts";
import { IN_PART_FILE } from "./shared-layout.ts";
import { syncFiles, syncWholeDisk } from "./sync-jobs.ts";
import { checkPieces, measurePieces } from "./sweep-jobs.ts";
import { createEmpty, finishFile, reopenFiles, stampFiles } from "./upkeep-jobs.ts";

/** The code of a disk worker: takes jobs off its port in order, and answers each once. */

/** The data a worker starts with. */
export interface DiskWorkerOptions {
  readonly openFilesMax: number;
}

const DONE: DiskOutcomeMessage = { kind: "done" };
/** Answers are batched while jobs wait, but never longer than this. */
const REPLIES_HELD_MS = 1;

const port = parentPort;
invariant(port, "this file runs in a worker thread");
const options = workerData as DiskWorkerOptions;
const budget = new DescriptorBudget(options.openFilesMax);
const jobs = new PieceJobs();
const hashes = new HashJobs();
const arenas = new Map<number, SharedArrayBuffer>();
const contents = new Map<number, ContentIo>();
let replies: DiskReply[] = [];

port.on("message", (messages: readonly (DiskNotice | DiskJob | HashJob)[]) => {
  let heldSinceMs = performance.now();
  for (const message of messages) {
    if ("task" in message) start(message);
    else if ("hash" in message) hash(message);
    else take(message);
    if (performance.now() - heldSinceMs < REPLIES_HELD_MS) continue;
    flush();
    heldSinceMs = performance.now();
  }
  flush();
});

function take(notice: DiskNotice): void {
  switch (notice.kind) {
    case "arena":
      arenas.set(notice.arena, notice.memory);
      break;
    case "drop-arena":
      arenas.delete(notice.arena);
      break;
    case "layout":
      contents.set(notice.content, new ContentIo(notice.layout, budget));
      break;
  }
}

function hash({ id, hash: task }: HashJob): void {
  reply(
    id,
    outcomeOf(() => hashes.perform(task, task.part && framed(task.part.source))),
  );
}

function start(job: DiskJob): void {
  const io = contents.get(job.content);
  invariant(io, "a content is announced before its first job");
  const { id, task } = job;
  switch (task.kind) {
    case "check": {
      const report = (pieces: Uint32Array): void => send({ kind: "judged", id, pieces });
      sweep(id, checkPieces(io, jobs, task, report));
      break;
    }
    case "measure": {
      const report = (bytes: number): void => send({ kind: "progress", id, bytes });
      sweep(id, measurePieces(io, jobs, task, report));
      break;
    }
    case "store":
    case "ingest":
    case "reopen":
    case "write":
    case "verify":
    case "read":
    case "close":
      reply(
        id,
        outcomeOf(() => perform(job.content, io, task)),
      );
      break;
    default:
      later(id, () => performInTurns(io, task));
  }
}

/** Jobs on one piece, or with a few system calls: they keep their order. */
type PromptTask = Extract<
  DiskTask,
  { kind: "store" | "ingest" | "reopen" | "write" | "verify" | "read" | "close" }
>;

/** Jobs that take the longer the more files there are: other jobs run in between. */
type LongTask = Exclude<DiskTask, PromptTask | { kind: "check" } | { kind: "measure" }>;

async function performInTurns(io: ContentIo, task: LongTask): Promise<DiskOutcomeMessage> {
  switch (task.kind) {
    case "sync":
      await syncFiles(io, task.part, task.parts);
      return DONE;
    case "sync-disk":
      await syncWholeDisk(io);
      return DONE;
    case "stamp":
      return { kind: "stamps", stamps: await stampFiles(io) };
    case "create-empty":
      await createEmpty(io, task.unwanted);
      return DONE;
    case "set-wanted":
      await setWanted(io, task.wanted);
      return DONE;
    case "leave-part-file":
      await inTurns(task.files, (file) =>
        io.table.has(file, IN_PART_FILE) ? leavePartFile(io, file) : undefined,
      );
      return DONE;
    case "finish":
      await inTurns(task.files, (file) => finishFile(io, file));
      return DONE;
    case "claim":
      await inTurns(task.files, (file) => claimFile(io, file));
      return DONE;
    case "set-aside":
      await inTurns(task.files, (file) => setFileAside(io, file));
      return DONE;
  }
}

function perform(content: number, io: ContentIo, task: PromptTask): DiskOutcomeMessage {
  switch (task.kind) {
    case "store":
      return jobs.store(io, task.piece, memory(task.source), task.digests);
    case "ingest":
      return jobs.ingest(io, task.piece, memory(task.source), task);
    case "reopen":
      reopenFiles(io, task.lost);
      return DONE;
    case "write":
      jobs.write(io, task.piece, task.begin, memory(task.source));
      return DONE;
    case "verify":
      return jobs.verify(io, task.piece, task.digests, task.frames && framed(task.frames));
    case "read":
      return jobs.read(io, memory(task.target), task.runs);
    case "close":
      io.files.end();
      contents.delete(content);
      return DONE;
  }
}

function framed({ target, headBytes }: FramedMemory): Frames {
  return { bytes: memory(target), headBytes };
}

function memory(run: MemoryRun): Uint8Array {
  const arena = arenas.get(run.arena);
  invariant(arena, "memory is announced before its first job");
  return new Uint8Array(arena, run.offset, run.length);
}

/** Does one part of a sweep in each turn of the event loop, so that other jobs run in between. */
function sweep(id: number, parts: Generator<void>): void {
  const step = (): void => {
    let ended = false;
    const outcome = outcomeOf(() => {
      ended = parts.next().done === true;
      return DONE;
    });
    if (ended || outcome.kind === "failure") reply(id, outcome);
    else setImmediate(step);
    flush();
  };
  setImmediate(step);
}

function later(id: number, work: () => Promise<DiskOutcomeMessage>): void {
  // Anything but a refusal of the disk is a bug: left unhandled, it ends this worker, and the pool
  // reports it.
  void work()
    .catch((error: unknown) => outcomeOf(() => rethrow(error)))
    .then((outcome) => {
      reply(id, outcome);
      flush();
    });
}

function rethrow(error: unknown): never {
  throw error;
}

function outcomeOf(work: () => DiskOutcomeMessage): DiskOutcomeMessage {
  try {
    return work();
  } catch (error) {
    if (error instanceof DiskRefusal) return error.failure;
    throw error;
  }
}

function reply(id: number, outcome: DiskOutcomeMessage): void {
  send({ kind: "outcome", id, outcome });
}

function send(message: DiskReply): void {
  replies.push(message);
}

function flush(): void {
  if (replies.length === 0) return;
  const batch = replies;
  replies = [];
  port?.postMessage(batch);
}
