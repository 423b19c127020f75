import type { TransferView } from "../api/transfers.ts";
import { CommandError } from "../commands/command-error.ts";
import type { Candidate, KnownWords } from "./completion-words.ts";
import { useTransfers } from "./use-transfers.ts";

/** Ids are offered with as many characters as tables show. */
const ID_LENGTH = 8;

/**
 * The words that the node, the settings and the machine know.
 *
 * @param signal - Ends the wait for the node: what it has said until then is offered.
 */
export function knownWords(signal: AbortSignal, system: boolean): KnownWords {
  return {
    async transfers() {
      const found: Candidate[] = [];
      await eachTransfer(signal, system, ({ id, name }) => {
        found.push({ word: id.slice(0, ID_LENGTH), says: name });
      });
      return found;
    },
    async labels() {
      const found = new Set<string>();
      await eachTransfer(signal, system, ({ label }) => {
        if (label !== null) found.add(label);
      });
      return [...found].map((word) => ({ word, says: "" }));
    },
    async keys() {
      const { CONFIG_KEYS } = await import("../config/config-keys.ts");
      return CONFIG_KEYS.map(({ path, says }) => ({ word: path.join("."), says }));
    },
    async valuesOf(name) {
      const { CONFIG_KEYS } = await import("../config/config-keys.ts");
      const key = CONFIG_KEYS.find(({ path }) => path.join(".") === name);
      return (key?.choices ?? []).map((word) => ({ word, says: "" }));
    },
    async interfaces() {
      const { networkInterfaces } = await import("node:os");
      return Object.keys(networkInterfaces()).map((word) => ({ word, says: "" }));
    },
  };
}

/** Without a node, or with one that is slow, there is nothing to hear: that is no error while somebody types. */
async function eachTransfer(
  signal: AbortSignal,
  system: boolean,
  hear: (transfer: TransferView) => void,
): Promise<void> {
  try {
    const client = await useTransfers({ signal }, { system });
    for await (const transfer of client.each({})) hear(transfer);
  } catch (error) {
    if (!signal.aborted && !(error instanceof CommandError)) throw error;
  }
}
