import { ReadClock } from "./read-clock.ts";

/** What the swarm keeps of one peer. Only files of this folder write to it. */
export class SwarmPeer {
  /** When it was dialled or found its torrent. */
  readonly begunAtMs: number;
  /** When its handshake was over; 0 until then. */
  connectedAtMs = 0;
  lastFlushedAtMs = 0;
  /** Whether it reads what it is sent. */
  readonly reading: ReadClock;
  /** Where it listens, by its own word; `undefined` until it says. */
  listenPort: number | undefined;
  /** Wants nothing more (BEP 21). */
  uploadOnly = false;
  /** Its name in its own words. From outside: escape where it is shown. */
  clientWords: string | undefined;

  constructor(begunAtMs: number) {
    this.begunAtMs = begunAtMs;
    this.reading = new ReadClock(begunAtMs);
  }
}

/** What a peer says of itself in the extension protocol (BEP 10, BEP 21); what it does not say stays. */
export interface PeerWords {
  readonly uploadOnly?: boolean | undefined;
  readonly listenPort?: number | undefined;
  readonly client?: string | undefined;
}
