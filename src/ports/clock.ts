/** Time as the engines see it; a simulation answers it from its own event queue. */
export interface Clock {
  /** Milliseconds that never jump back: for intervals and deadlines (STO-8). */
  nowMs(): number;
  /** Milliseconds since 1970 by the wall: for what people read and what is stored. */
  wallMs(): number;
  /** Calls `fire` once, not before `delayMs` from now. */
  startTimer(delayMs: number, fire: () => void): Timer;
}

export interface Timer {
  /** Afterwards the timer never fires. Harmless when it has fired. */
  cancel(): void;
}
