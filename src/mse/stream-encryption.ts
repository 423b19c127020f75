import { addressKey, networkKey, type PeerAddress } from "../base/peer-address.ts";
import type { StreamDecorators } from "../engine/stream-decorator.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeyExchange } from "../ports/key-exchange.ts";
import type { Random } from "../ports/random.ts";
import { Dialler } from "./dialler.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import { ExchangeTurns } from "./exchange-turns.ts";
import { KnownWays } from "./known-ways.ts";
import { Listener } from "./listener.ts";
import { type NegotiationParts, PLAIN, RC4 } from "./negotiation.ts";
import { SentMemory } from "./sent-memory.ts";
import type { SleepingMarks } from "./sleeping-marks.ts";
import { TorrentMarks } from "./torrent-marks.ts";

export interface StreamEncryptionOptions {
  /** Asked for each connection, so that a change concerns the next one. */
  readonly mode: EncryptionMode | (() => EncryptionMode);
  readonly clock: Clock;
  readonly random: Random;
  readonly keyExchange: KeyExchange;
  /** Torrents that are not in the engine. */
  readonly sleeping?: SleepingMarks | undefined;
}

/** Message stream encryption for the streams of one session. */
export function streamEncryption(options: StreamEncryptionOptions): StreamDecorators {
  const { mode: chosen, clock, random, keyExchange, sleeping } = options;
  if (chosen === "off") return {};
  const mode = typeof chosen === "string" ? () => chosen : chosen;
  const parts: NegotiationParts = {
    exchange: keyExchange,
    random,
    turns: new ExchangeTurns(clock),
    memory: new SentMemory(),
  };
  const methods = (): number => (mode() === "require" ? RC4 : PLAIN | RC4);
  const ways = new KnownWays();
  const marks = new TorrentMarks();
  return {
    outgoing: ({ remote, infohash }) => {
      if (mode() === "off") return undefined;
      if (mode() === "prefer" && ways.next(remote) === "plain") return undefined;
      const onReady = (): void => ways.handleEncrypted(remote);
      const network = networkOf(remote);
      return new Dialler({ parts, network, infohash, methods: methods(), onReady });
    },
    incoming: ({ remote }) => {
      if (mode() === "off") return undefined;
      return new Listener({
        parts,
        network: networkOf(remote),
        methods: methods(),
        allowsPlainStart: mode() === "prefer",
        findByMark: (mark) => marks.find(mark) ?? sleeping?.find(mark),
      });
    },
    isWorthAnotherTry: (remote) => mode() === "prefer" && ways.handleFailed(remote),
    prefersEncryption: () => mode() !== "off",
    handleInfohash: (infohash, isHere) => {
      if (isHere) marks.add(infohash);
      else marks.delete(infohash);
    },
  };
}

function networkOf(remote: PeerAddress): string {
  return networkKey(remote) ?? addressKey(remote);
}
