import { invariant } from "../../base/errors.ts";

/** Calls for each member at the end of one burst. More means that two parts answer each other for ever. */
const CALLS_MAX = 1000;

/** Where `Bursts` records that a member waits. Only `Bursts` writes to it. */
export class BurstMark {
  isUnsettled = false;
  isUntold = false;
}

/** A part that decides in a burst and acts at its end. */
export interface BurstMember {
  readonly mark: BurstMark;
  /** Carries out and sends what was decided. This may cause more, which another round carries out. */
  settle(): void;
  /** Tells its owner what happened. The owner may call anything. */
  tell(): void;
}

/**
 * The bursts of a session. Every input from the world or from a caller begins one: bytes, an outcome of the disk, a
 * timer, a call. At its end the decisions are carried out and sent, and only when none is left are owners told what
 * happened. So an owner never hears of anything in the middle of a burst and may call any method; a call inside a burst
 * joins it.
 */
export class Bursts {
  #depth = 0;
  #isEnding = false;
  readonly #unsettled = new Waiting();
  readonly #untold = new Waiting();

  begin(): void {
    this.#depth += 1;
  }

  end(): void {
    this.#depth -= 1;
    this.#finish();
  }

  /**
   * Runs a function as a burst, or as part of the current one.
   *
   * @param member - Has something to carry out afterwards.
   */
  run<T>(part: () => T, member?: BurstMember): T {
    this.#depth += 1;
    if (member) this.#markUnsettled(member);
    let result: T;
    try {
      result = part();
    } catch (error) {
      this.#depth -= 1;
      throw error;
    }
    this.end();
    return result;
  }

  /** Like `run`, for a function with an argument: allocates nothing. */
  runWith<T>(part: (argument: T) => void, argument: T, member: BurstMember): void {
    this.#depth += 1;
    this.#markUnsettled(member);
    try {
      part(argument);
    } catch (error) {
      this.#depth -= 1;
      throw error;
    }
    this.end();
  }

  /** The member has something to carry out. Outside a burst this is a burst of its own. */
  settle(member: BurstMember): void {
    this.#markUnsettled(member);
    this.#finish();
  }

  /** The member has something to tell. */
  tell(member: BurstMember): void {
    const { mark } = member;
    if (!mark.isUntold) {
      mark.isUntold = true;
      this.#untold.push(member);
    }
    this.#finish();
  }

  #markUnsettled(member: BurstMember): void {
    const { mark } = member;
    if (mark.isUnsettled) return;
    mark.isUnsettled = true;
    this.#unsettled.push(member);
  }

  #finish(): void {
    if (this.#depth > 0 || this.#isEnding) return;
    let callsLeft = CALLS_MAX * (this.#unsettled.length + this.#untold.length);
    if (callsLeft === 0) return;
    this.#isEnding = true;
    try {
      while (this.#unsettled.length + this.#untold.length > 0) {
        invariant(callsLeft > 0, "a burst comes to its end");
        callsLeft -= 1;
        // What an owner caused is carried out before the next owner is told.
        if (this.#unsettled.length > 0) this.#settleNext();
        else this.#tellNext();
      }
    } finally {
      this.#isEnding = false;
    }
  }

  #settleNext(): void {
    const member = this.#unsettled.shift();
    member.mark.isUnsettled = false;
    member.settle();
  }

  #tellNext(): void {
    const member = this.#untold.shift();
    member.mark.isUntold = false;
    member.tell();
  }
}

/**
 * Members in the order in which they were added. It keeps its memory: a burst that touches one torrent allocates
 * nothing.
 */
class Waiting {
  readonly #members: (BurstMember | undefined)[] = [];
  #head = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#head;
  }

  push(member: BurstMember): void {
    this.#members[this.#end] = member;
    this.#end += 1;
  }

  /** Requires that there is one. */
  shift(): BurstMember {
    const member = this.#members[this.#head]!;
    this.#members[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#end) {
      this.#head = 0;
      this.#end = 0;
    }
    return member;
  }
}
