import type { CommandDisk, DiskPorts } from "../commands/command-ports.ts";
import { exchangeThreads, hashingThreads } from "../platform/hashing-threads.ts";
import { NodeDisk } from "../platform/node-disk.ts";
import type { Log } from "../ports/log.ts";

/** The real ports of a command that reads content. */
export function diskPorts(log?: Log): DiskPorts {
  return {
    openDisk: (work): CommandDisk => {
      const threadsFor = work?.isExchanged === true ? exchangeThreads : hashingThreads;
      return new NodeDisk({ log, workers: work && threadsFor(work) });
    },
  };
}
