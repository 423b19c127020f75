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
  {
    name: "mse: a long run leaves the key stream where it was",
    file: "src/mse/rc4.ts",
    from: "    this.#state.set(WORKING);\n",
    to: "",
    tests: ["src/mse/rc4"],
  },
  {
    name: "mse: a value that the step before has moved is taken from its old place",
    file: "src/mse/rc4.ts",
    from: "key |= WORKING[(a + b) & 255]! << 24;\n      i = next;\n      if (j !== next) a = ahead;",
    to: "key |= WORKING[(a + b) & 255]! << 24;\n      i = next;\n      a = ahead;",
    tests: ["src/mse/rc4"],
  },
  {
    name: "mse: memory of encrypted bytes is used again before the system has taken all of it",
    file: "src/engine/connection/decorated-stream.ts",
    from: "      if (run.left > 0) continue;\n      this.#runs.shift();\n",
    to: "      if (run.left === 0) this.#runs.shift();\n",
    tests: ["decorated-stream"],
  },
];
