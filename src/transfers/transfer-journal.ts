import type { TorrentEvent } from "../engine/session-contract.ts";
import type { TransferChange, TransferRow } from "../store/transfers.ts";
import type { TransferTracker } from "./transfer-engine.ts";
import { type Chore, type Failure, PAUSE_WORDS, type PauseCause } from "./transfer-state.ts";

/** Lines of one transfer; the oldest are forgotten. */
const LINES_MAX = 200;
/** Transfers with lines; the one that had none for longest is forgotten. */
const TRANSFERS_MAX = 1_000;

/** Something that happened to a transfer. */
export interface JournalLine {
  /** Wall milliseconds. */
  readonly atMs: number;
  /** Something went wrong. */
  readonly trouble: boolean;
  /** For people; parts come from outside. */
  readonly message: string;
}

/**
 * What happened to each transfer since the start of the node, for the question of its owner why it is as it is. It is
 * memory only: what has to outlive a restart is in the row.
 */
export class TransferJournal {
  readonly #wallMs: () => number;
  /** The one with the newest line is the last. */
  readonly #lines = new Map<string, JournalLine[]>();
  /** Trackers that fail now, by transfer. */
  readonly #failing = new Map<string, Set<string>>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Newest first. */
  lines(id: string): readonly JournalLine[] {
    return this.#lines.get(id)?.toReversed() ?? [];
  }

  forget(id: string): void {
    this.#lines.delete(id);
    this.#failing.delete(id);
  }

  /** The row was changed. */
  handleChange(id: string, before: Pick<TransferRow, "finished_at">, change: TransferChange): void {
    const { stopped, pause, failure, chore, finished_at, whole } = change;
    if (stopped === 0) this.#note(id, "It was started.");
    if (stopped === 1) this.#note(id, pauseWords(pause));
    if (typeof failure === "string") this.#trouble(id, messageIn(failure));
    if (typeof chore === "string") this.#note(id, choreWords(chore));
    if (chore === null && change.root !== undefined) {
      this.#note(id, `Its content is in ${change.root} now.`);
    }
    const isFinished = typeof finished_at === "number" && before.finished_at === null;
    if (isFinished) this.#note(id, "Everything wanted is here and checked.");
    if (finished_at === null && whole === 0) this.#note(id, "Its content is compared again.");
  }

  handleEvent(id: string, event: TorrentEvent): void {
    switch (event.kind) {
      case "metadata":
        this.#note(id, `Its details were found: ${event.info.name}.`);
        break;
      case "piece-lost":
        this.#trouble(id, `Piece ${event.piece} is damaged on disk; it is fetched again.`);
        break;
      case "peer-banned":
        this.#trouble(id, `The peer ${event.address} was shut out: ${event.reason}.`);
        break;
      case "state":
        if (event.state.kind === "waiting") this.#trouble(id, `${event.state.message}.`);
        if (event.state.kind === "checking") this.#note(id, "Its content is being looked at.");
        if (event.state.kind === "downloading") this.#note(id, "It downloads.");
        if (event.state.kind === "seeding") this.#note(id, "It seeds.");
        break;
      case "complete":
      case "piece":
        break;
    }
  }

  /** Call it now and then with what its trackers say: a failure is told when it begins and when it ends. */
  handleTrackers(id: string, trackers: readonly TransferTracker[]): void {
    for (const { name, state, message } of trackers) {
      const failing = this.#failing.get(id);
      if (state === "failing" && failing?.has(name) !== true) {
        this.#failing.set(id, (failing ?? new Set()).add(name));
        this.#trouble(id, `The tracker ${name} fails: ${message ?? "it does not answer"}.`);
      } else if (state === "working" && failing?.delete(name) === true) {
        this.#note(id, `The tracker ${name} answers again.`);
        if (failing.size === 0) this.#failing.delete(id);
      }
    }
  }

  #note(id: string, message: string): void {
    this.#add(id, { atMs: this.#wallMs(), trouble: false, message });
  }

  #trouble(id: string, message: string): void {
    this.#add(id, { atMs: this.#wallMs(), trouble: true, message: message.replace(/\.\.$/, ".") });
  }

  #add(id: string, line: JournalLine): void {
    const lines = this.#lines.get(id) ?? [];
    // A state that comes again at once is no news.
    if (lines.at(-1)?.message === line.message) return;
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
    this.#lines.delete(id);
    this.#lines.set(id, lines);
    if (this.#lines.size <= TRANSFERS_MAX) return;
    const [oldest] = this.#lines.keys();
    this.forget(oldest!);
  }
}

function pauseWords(pause: string | null | undefined): string {
  const cause = (pause ?? "asked") as PauseCause;
  return `It was stopped: ${PAUSE_WORDS[cause] ?? PAUSE_WORDS.asked}.`;
}

function messageIn(failure: string): string {
  const { message } = JSON.parse(failure) as Failure;
  return `It cannot go on: ${message}.`;
}

function choreWords(text: string): string {
  const chore = JSON.parse(text) as Chore;
  switch (chore.kind) {
    case "move":
      return `Its content is being moved to ${chore.to}.`;
    case "remove":
      return "It is being removed.";
    default:
      return "Its files are being renamed.";
  }
}
