/** A program that is run to its end. */
export interface ProgramRun {
  /** The program and its arguments, which reach it as they are: there is no shell. */
  readonly argv: readonly string[];
  /** Set besides `PATH`, `HOME` and the language; it gets no others of ours. */
  readonly variables: Readonly<Record<string, string>>;
  /** Then it is asked to end, and ended a little later. */
  readonly timeoutMs: number;
  /** Of its output; the rest is thrown away. */
  readonly outputBytesMax: number;
  /** Ends it, with every program that it has started. */
  readonly signal: AbortSignal;
}

export interface ProgramEnd {
  /** `undefined` when a signal ended it. */
  readonly exit: number | undefined;
  readonly isTimedOut: boolean;
  /** What it wrote to both streams. */
  readonly output: string;
}

export interface Programs {
  /** @throws (rejects with) the system's error when it cannot be started. */
  run(run: ProgramRun): Promise<ProgramEnd>;
}
