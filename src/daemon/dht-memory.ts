import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import type { DhtMemory } from "../commands/command-ports.ts";
import { placesOf } from "../config/places.ts";
import { writeAtomically } from "../platform/atomic-file.ts";
import { openToRead, readHandle } from "../platform/bounded-file.ts";
import { makeFolders } from "../platform/node-files.ts";
import type { Log } from "../ports/log.ts";

/** Beside the state of the user's node, which has a file of its own. */
const NAME = "dht.state";
/** Two hundred nodes of each family are some 13 kB. */
const BYTES_MAX = 64 * 1024;
/** For its owner only: it says whom this machine has talked to. */
const FOLDER_MODE = 0o700;

/** The file where the commands of a user remember DHT nodes. */
export function dhtMemoryPath(env: Readonly<Record<string, string | undefined>>): string {
  const asked = { env, home: homedir(), here: process.cwd(), isSystem: false };
  return join(placesOf(asked).stateDir, NAME);
}

/** Commands of one user may run at the same time: the last one to end is remembered. */
export function dhtMemory(path: string, log: Log): DhtMemory {
  return {
    async load() {
      try {
        const file = await openToRead(path);
        try {
          const bytes = await readHandle(file, BYTES_MAX);
          if (!bytes) log.warn("The file of DHT nodes is too long. It is ignored.", { path });
          return bytes;
        } finally {
          await file.close();
        }
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        log.warn("The DHT nodes of earlier runs cannot be read.", { path, cause: String(error) });
        return undefined;
      }
    },
    async save(state) {
      try {
        await makeFolders(dirname(path), FOLDER_MODE);
        await writeAtomically(path, state);
      } catch (error) {
        log.warn("The DHT nodes are not remembered.", { path, cause: String(error) });
      }
    },
  };
}
