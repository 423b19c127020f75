import type { Mutant } from "../mutant.ts";

const NEGOTIATION = ["src/mse/negotiation"];

/** Message stream encryption: what keeps strangers from harm, and what others would not understand. */
export const mutants: readonly Mutant[] = [
  {
    name: "mse: networks do not take turns at key exchanges",
    file: "src/mse/exchange-turns.ts",
    from: "      this.#waiting.delete(network);\n",
    to: "      if (line.length === 0) this.#waiting.delete(network);\n",
    tests: ["src/mse/exchange-turns"],
  },
  {
    name: "mse: public keys that hide nothing are taken",
    file: "src/mse/mse-keys.ts",
    from: " && compareBytes(publicKey, KEY_MAX) <= 0",
    to: "",
    tests: NEGOTIATION,
  },
  {
    name: "mse: the search behind a pad has no end",
    file: "src/mse/negotiation.ts",
    from: "searched.length < PAD_BYTES_MAX + mark.length",
    to: "searched.length < 1e9",
    tests: NEGOTIATION,
  },
  {
    name: "mse: the biased start of a key stream is used",
    file: "src/mse/mse-keys.ts",
    from: "    rc4.keystream(DROPPED_BYTES);\n",
    to: "",
    tests: NEGOTIATION,
  },
  {
    name: "mse: a peer that has negotiated is dialled plainly when it hangs up",
    file: "src/mse/known-ways.ts",
    from: "if (!known || known.hasWorked) return false;",
    to: "if (!known) return false;",
    tests: ["src/mse/known-ways"],
  },
  {
    name: "mse: a torrent that goes takes others out of reach",
    file: "src/mse/torrent-marks.ts",
    from: "if (((cell - home) & last) < ((cell - hole) & last)) continue;",
    to: "if (cell === home) break;",
    tests: ["src/mse/torrent-marks"],
  },
];
