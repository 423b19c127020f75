import type { Credential } from "../announce/credential.ts";
import type { Keyring } from "./keyring.ts";
import { NOBODY, type Principal } from "./principal.ts";
import { NOT_REGISTERED, type Refusal } from "./refusal.ts";

/**
 * What a client asks of a torrent. The tracker keeps one object and refills it for each question.
 */
export interface AdmissionQuestion {
  readonly act: "announce" | "scrape";
  readonly principal: Principal;
  /** 20 bytes, as the client sent it. */
  readonly infohash: Uint8Array;
  /** `fetched`: the hub is fetching it. `unknown`: nobody here knows it. */
  readonly standing: "registered" | "fetched" | "unknown";
  /**
   * 4 or 16 bytes: the peer's presumed address. Empty for a full scrape, which is the same for
   * every client.
   */
  readonly address: Uint8Array;
  /** 20 bytes; `undefined` for a scrape. */
  readonly peerId: Uint8Array | undefined;
}

/**
 * Decides who takes part in which swarm. It answers at once, from memory, because every announce
 * asks it.
 */
export interface Admission {
  /** True when unregistered torrents are tracked too. */
  readonly open: boolean;
  /** @returns The owner of this credential; `undefined` when it has none. */
  identify(credential: Credential): Principal | undefined;
  /** @returns `undefined` when the request is allowed. */
  judge(question: AdmissionQuestion): Refusal | undefined;
}

/** Admits everybody to every swarm and ignores credentials. */
export const OPEN_ADMISSION: Admission = {
  open: true,
  identify: () => NOBODY,
  judge: () => undefined,
};

/**
 * Admits everybody to the swarms of torrents that are registered or being fetched. Refuses a false
 * credential.
 */
export class RegisteredAdmission implements Admission {
  readonly open = false;
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  identify(credential: Credential): Principal | undefined {
    return this.#keyring.find(credential);
  }

  judge({ standing }: AdmissionQuestion): Refusal | undefined {
    return standing === "unknown" ? NOT_REGISTERED : undefined;
  }
}
