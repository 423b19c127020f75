import { columnWidth } from "./column-width.ts";
import { cutMiddle } from "./outside-text.ts";

/** `bar` redraws one line of a terminal, `plain` writes a line from time to time. */
export type ProgressStyle = "bar" | "plain" | "none";

/** The progress of some work. */
export interface ProgressState {
  /** `Hashing`, `Uploading`; empty when it goes without saying. */
  readonly doing: string;
  /** 0 to 1; `undefined` while unknown. */
  readonly fraction?: number | undefined;
  /** Formatted for people: `88.1 MiB/s`, `12 peers`, `10 s left`. */
  readonly parts: readonly string[];
}

const REDRAW_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;
const BAR_COLUMNS = 20;
const ERASE_LINE = "\r\u001b[K";

/** Progress on stderr, never more often than eyes or logs can take. */
export class ProgressLine {
  readonly #style: ProgressStyle;
  readonly #columns: () => number;
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  #lastMs: number;
  #drawn = false;

  constructor(options: {
    style: ProgressStyle;
    columns: () => number;
    write: (text: string) => void;
    /** Monotonic milliseconds. */
    now?: () => number;
  }) {
    this.#style = options.style;
    this.#columns = options.columns;
    this.#write = options.write;
    this.#now = options.now ?? (() => performance.now());
    this.#lastMs = options.style === "bar" ? Number.NEGATIVE_INFINITY : this.#now();
  }

  /** Shows the state, unless a state was shown a moment ago. */
  update(state: ProgressState): void {
    if (this.#style === "none") return;
    const now = this.#now();
    const interval = this.#style === "bar" ? REDRAW_MS : PLAIN_INTERVAL_MS;
    if (now - this.#lastMs < interval) return;
    this.#lastMs = now;
    if (this.#style === "bar") this.#draw(state);
    else this.#write(`${describe(state, false)}\n`);
  }

  /** Ends a phase: the bar stays as a line with the result. */
  finish(state: ProgressState): void {
    if (this.#style !== "bar") return;
    this.#draw(state);
    this.#write("\n");
    this.#drawn = false;
    this.#lastMs = Number.NEGATIVE_INFINITY;
  }

  /** Removes the bar, so that other output can be written; the next update restores it. */
  clear(): void {
    if (!this.#drawn) return;
    this.#write(ERASE_LINE);
    this.#drawn = false;
    this.#lastMs = Number.NEGATIVE_INFINITY;
  }

  #draw(state: ProgressState): void {
    // One column stays free, because some terminals wrap when the last one is written.
    this.#write(`${ERASE_LINE}${fit(state, this.#columns() - 1)}`);
    this.#drawn = true;
  }
}

/** Shows only the parts that fit whole: half a bar or half a number is useless. */
function fit(state: ProgressState, columns: number): string {
  const last = state.parts.slice(-1);
  const shorter = [
    describe(state, true),
    describe(state, false),
    describe({ ...state, parts: last }, false),
    describe({ ...state, parts: [] }, false),
  ];
  const fitting = shorter.find((text) => text !== "" && columnWidth(text) <= columns);
  return fitting ?? cutMiddle(shorter.at(-1)!, columns);
}

function describe(state: ProgressState, bar: boolean): string {
  const words: string[] = [];
  if (state.doing !== "") words.push(state.doing.padEnd(9));
  if (state.fraction !== undefined) {
    const fraction = Math.min(1, Math.max(0, state.fraction));
    // Never 100 before the end, because the rest may take long.
    words.push(`${String(Math.floor(fraction * 100)).padStart(3)} %`);
    if (bar) words.push(drawBar(fraction));
  }
  return [...words, ...state.parts].join("  ");
}

function drawBar(fraction: number): string {
  const filled = Math.floor(fraction * BAR_COLUMNS);
  const head = filled < BAR_COLUMNS ? ">" : "";
  return `[${"=".repeat(filled)}${head}${" ".repeat(BAR_COLUMNS - filled - head.length)}]`;
}
