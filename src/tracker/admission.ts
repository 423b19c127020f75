import type { Credential } from "../announce/credential.ts";
import type { Keyring } from "./keyring.ts";
import { NOBODY, type Principal } from "./principal.ts";
import { NOT_REGISTERED, type Refusal } from "./refusal.ts";

/** What somebody wants of a torrent. The tracker keeps one and fills it anew for each question. */
export interface AdmissionQuestion {
  readonly act: "announce" | "scrape";
  readonly principal: Principal;
  /** 20 bytes, as it was asked for. */
  readonly infohash: Uint8Array;
  /** `fetched`: it is on its way here. `unknown`: nobody here has to do with it. */
  readonly standing: "registered" | "fetched" | "unknown";
  /** 4 or 16 bytes: where the peer is believed to be. Empty when everything is scraped at once, for whoever asks. */
  readonly address: Uint8Array;
  /** 20 bytes; `undefined` for a scrape. */
  readonly peerId: Uint8Array | undefined;
}

/** Decides who takes part in which swarm. Everything answers at once, from memory: it is asked for each announce. */
export interface Admission {
  /** Whether torrents that nobody registered meet here, too. */
  readonly open: boolean;
  /** @returns Who has this credential; `undefined` when nobody does. */
  identify(credential: Credential): Principal | undefined;
  /** @returns `undefined` when it is allowed. */
  judge(question: AdmissionQuestion): Refusal | undefined;
}

/** Takes everybody into every swarm, and does not look at what they show: nobody is anybody here. */
export const OPEN_ADMISSION: Admission = {
  open: true,
  identify: () => NOBODY,
  judge: () => undefined,
};

/** Takes everybody into the swarms of torrents that are registered or on their way here. A false credential is refused. */
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
