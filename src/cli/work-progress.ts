import { formatLeft, formatRate } from "./figures.ts";
import type { ProgressLine } from "./progress-line.ts";

/** The window for the speed: long enough to be steady, short enough to follow changes. */
const WINDOW_MS = 5000;

/** Progress of work whose size is known: percentage, bar, speed and time left. */
export class WorkProgress {
  readonly #line: ProgressLine;
  readonly #doing: string;
  readonly #now: () => number;
  #bytesTotal = 0;
  #bytesDone = 0;
  /** Work done before this run began. */
  #bytesBefore = 0;
  #startedMs = 0;
  /** The start of the window. */
  #mark = { ms: 0, bytes: 0 };
  #previousMark = { ms: 0, bytes: 0 };

  constructor(line: ProgressLine, doing: string, now: () => number = () => performance.now()) {
    this.#line = line;
    this.#doing = doing;
    this.#now = now;
  }

  /** @param bytesDone - Already done: not counted in the speed. */
  start(bytesTotal: number, bytesDone = 0): void {
    this.#bytesTotal = bytesTotal;
    this.#bytesDone = bytesDone;
    this.#bytesBefore = bytesDone;
    this.#startedMs = this.#now();
    this.#mark = { ms: this.#startedMs, bytes: bytesDone };
    this.#previousMark = this.#mark;
  }

  update(bytesDone: number): void {
    const now = this.#now();
    this.#bytesDone = bytesDone;
    if (now - this.#mark.ms >= WINDOW_MS) {
      this.#previousMark = this.#mark;
      this.#mark = { ms: now, bytes: bytesDone };
    }
    const { ms, bytes } = this.#previousMark;
    const speed = now > ms ? ((bytesDone - bytes) / (now - ms)) * 1000 : 0;
    this.#line.update({
      doing: this.#doing,
      fraction: this.#bytesTotal > 0 ? bytesDone / this.#bytesTotal : 1,
      parts: [formatRate(speed), formatLeft(this.#bytesTotal - bytesDone, speed)],
    });
  }

  /** Leaves the last line standing. @returns Bytes per second over all of it. */
  finish(): number {
    const seconds = Math.max(0.001, (this.#now() - this.#startedMs) / 1000);
    const speed = (this.#bytesDone - this.#bytesBefore) / seconds;
    this.#line.finish({ doing: this.#doing, fraction: 1, parts: [formatRate(speed)] });
    return speed;
  }
}
