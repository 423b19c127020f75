/** Time as the engines see it; a simulation drives it from its own event queue. */
export interface Clock {
  /** Milliseconds that never jump back: for intervals and deadlines (STO-8). */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970: for display and for storage. */
  wallMs(): number;
  /** Calls `fire` once, not before `delayMs` from now. */
  startTimer(delayMs: number, fire: () => void): Timer;
}

export interface Timer {
  /** Afterwards the timer never fires. Does nothing if it has fired. */
  cancel(): void;
}
