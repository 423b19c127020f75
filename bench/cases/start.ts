import fs from "node:fs";
import path from "node:path";
import { EVERSEED, freshFolder, row, type BenchCase, type Sample } from "../bench-case.ts";
import { run, watch } from "../measure.ts";

const PAGE_SECONDS = 5;
const PAGE_CONNECTIONS = 32;

/** Starts a fresh hub and waits until it can be reached. */
async function startHub(scratch: string, name: string) {
  const data = freshFolder(path.join(scratch, name));
  const startedAt = performance.now();
  const hub = watch(
    [EVERSEED, "hub", "start", "--data", data, "--host", "127.0.0.1", "--port", "0", "--json"],
    scratch,
  );
  const ready = await hub.event("ready");
  return { hub, port: Number(ready.port), seconds: (performance.now() - startedAt) / 1000 };
}

export const start: BenchCase = {
  name: "start",
  about: "from the command to ready: the hub on an empty data folder, and `everseed --help`",
  run: async (options) => {
    const hubs: Sample[] = [];
    const helps: Sample[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const { hub, seconds } = await startHub(options.scratch, "start");
      hub.stop();
      hubs.push({ ...(await hub.cost), seconds });
      const help = await run([EVERSEED, "get", "--help"], options.scratch);
      helps.push({ ...help, seconds: help.wallSeconds });
    }
    return [row("hub start to ready", "everseed", hubs), row("get --help", "everseed", helps)];
  },
};

export const pages: BenchCase = {
  name: "pages",
  about: `the hub's catalogue page: seconds per 1,000 pages, ${PAGE_CONNECTIONS} connections of wrk`,
  run: async (options) => {
    const { hub, port } = await startHub(options.scratch, "pages");
    const samples: Sample[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      const report = path.join(options.scratch, "wrk.txt");
      await run(
        [
          "sh",
          "-c",
          `exec wrk -t1 -c${PAGE_CONNECTIONS} -d${PAGE_SECONDS}s http://127.0.0.1:${port}/ >${report}`,
        ],
        options.scratch,
      );
      const perSecond = Number(
        /Requests\/sec:\s+([0-9.]+)/.exec(fs.readFileSync(report, "utf8"))?.[1],
      );
      samples.push({ seconds: 1000 / perSecond, cpuSeconds: 0, peakMiB: 0 });
    }
    hub.stop();
    const cost = await hub.cost;
    return [
      {
        ...row("1,000 pages", "everseed", samples),
        peakMiB: cost.peakMiB,
        cpuSeconds: cost.cpuSeconds,
      },
    ];
  },
};
