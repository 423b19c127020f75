import { REACH, reachOf } from "../../base/address-reach.ts";
import { ipOf, machineKey, type PeerAddress } from "../../base/peer-address.ts";

/** Dials in a row that failed, up to which a machine is dialled as if they had not. */
const FAILURES_FREE = 4;
/** Wait after more of them, doubled by each. */
const WAIT_MS = 15_000;
const WAIT_MS_MAX = 10 * 60_000;
/** Dials under way at once: to a machine of which nothing is known, and to one that has answered. */
const UNKNOWN_AT_ONCE = 4;
const KNOWN_AT_ONCE = 32;
/** When an address is looked at again whose machine has enough dials under way, or still has to wait. */
const LOOK_AGAIN_MS = 500;
const LOOK_AGAIN_MS_MAX = 60_000;
/** Machines that are remembered. */
const MACHINES_MAX = 10_000;

interface Machine {
  underWay: number;
  /** Dials in a row that ended without a handshake. */
  failures: number;
  /** It has completed a handshake. */
  isKnown: boolean;
  notBeforeMs: number;
}

/**
 * How the dials to each machine ended, over all torrents of a session. Each torrent is careful with an address by
 * itself; a liar in the DHT names one victim for many torrents, whatever ports he invents, and all of them together must
 * not flood it (DHT-8). A machine that answers a handshake of any torrent starts over.
 *
 * Addresses of this machine are exempt: no stranger leads there, and whole swarms run there in tests.
 */
export class DialHistory {
  /** By `machineKey`, the one dialled last at the end. */
  readonly #machines = new Map<string, Machine>();

  /** Machines that are remembered. */
  get size(): number {
    return this.#machines.size;
  }

  /** Whether its machine was dialled, and is not forgotten. */
  hasDialled(address: PeerAddress): boolean {
    return this.#machines.has(machineKey(address));
  }

  /** @returns When the address may be dialled, or looked at again: `now` for at once. */
  readyAtMs(address: PeerAddress, now: number): number {
    const machine = this.#machines.get(machineKey(address));
    if (!machine) return now;
    const { failures, isKnown, underWay, notBeforeMs } = machine;
    if (now < notBeforeMs) return Math.min(notBeforeMs, now + LOOK_AGAIN_MS_MAX);
    const atOnce = isKnown ? KNOWN_AT_ONCE : UNKNOWN_AT_ONCE;
    const most = failures < FAILURES_FREE ? atOnce - failures : 1;
    return underWay < most ? now : now + LOOK_AGAIN_MS;
  }

  handleDialled(address: PeerAddress): void {
    if (isOwn(address)) return;
    const key = machineKey(address);
    const machine = this.#machines.get(key) ?? {
      underWay: 0,
      failures: 0,
      isKnown: false,
      notBeforeMs: 0,
    };
    machine.underWay += 1;
    this.#machines.delete(key);
    this.#machines.set(key, machine);
    if (this.#machines.size > MACHINES_MAX) this.#forgetOldest();
  }

  /** A dial is over. @param isAnswered - The machine completed a handshake. */
  handleOutcome(address: PeerAddress, isAnswered: boolean, now: number): void {
    const machine = this.#machines.get(machineKey(address));
    if (!machine) return;
    machine.underWay -= 1;
    machine.isKnown ||= isAnswered;
    machine.failures = isAnswered ? 0 : machine.failures + 1;
    const times = machine.failures - FAILURES_FREE;
    machine.notBeforeMs =
      times < 0 ? 0 : now + Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** Math.min(20, times));
  }

  #forgetOldest(): void {
    for (const [key, { underWay }] of this.#machines) {
      if (underWay > 0) continue;
      this.#machines.delete(key);
      return;
    }
  }
}

function isOwn(address: PeerAddress): boolean {
  const ip = ipOf(address);
  return ip !== undefined && reachOf(ip) === REACH.machine;
}
