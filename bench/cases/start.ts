import fs from "node:fs";
import path from "node:path";
import {
  EVERSEED,
  freshFolder,
  row,
  type BenchCase,
  type BenchRow,
  type Sample,
} from "../bench-case.ts";
import { run, watch } from "../measure.ts";

const PAGE_SECONDS = 5;
const PAGE_CONNECTIONS = 32;
const PUBLISHED = 50;

/** Starts a hub and waits until it can be reached. */
async function startHub(data: string, scratch: string) {
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
      const data = freshFolder(path.join(options.scratch, "start"));
      const { hub, seconds } = await startHub(data, options.scratch);
      hub.stop();
      hubs.push({ ...(await hub.cost), seconds });
      const help = await run([EVERSEED, "get", "--help"], options.scratch);
      helps.push({ ...help, seconds: help.wallSeconds });
    }
    return [row("hub start to ready", "everseed", hubs), row("get --help", "everseed", helps)];
  },
};

/** Publishes small files, so that the pages have something to show. @returns The page of the last one. */
async function publishSome(scratch: string, port: number, tokenFile: string): Promise<string> {
  let pageUrl = "";
  for (let number = 1; number <= PUBLISHED; number += 1) {
    const file = path.join(scratch, `talk ${number}.txt`);
    fs.writeFileSync(file, `talk number ${number}\n`.repeat(1000));
    const site = `http://127.0.0.1:${port}`;
    const told = path.join(scratch, "published.json");
    const command = [EVERSEED, "publish", file, "--to", site, "--token-file", tokenFile, "--json"];
    const quoted = command.map((word) => `'${word}'`).join(" ");
    await run(["sh", "-c", `exec ${quoted} >'${told}'`], scratch);
    ({ pageUrl } = JSON.parse(fs.readFileSync(told, "utf8")) as { pageUrl: string });
  }
  return new URL(pageUrl).pathname;
}

export const pages: BenchCase = {
  name: "pages",
  about: `pages of a hub with ${PUBLISHED} torrents: seconds per 1,000, ${PAGE_CONNECTIONS} connections of wrk`,
  run: async (options) => {
    const { scratch } = options;
    const data = freshFolder(path.join(scratch, "pages"));
    const password = path.join(scratch, "password");
    const token = path.join(scratch, "token");
    fs.writeFileSync(password, "correct horse battery staple\n", { mode: 0o600 });
    const init = ["hub", "init", "--data", data, "--admin", "bench", "--password-file", password];
    await run([EVERSEED, ...init, "--token-file", token, "-q"], scratch);
    const { hub, port } = await startHub(data, scratch);
    const rows: BenchRow[] = [];
    const torrentPage = await publishSome(scratch, port, token);
    for (const [what, page] of [
      ["1,000 x catalogue", "/"],
      ["1,000 x torrent page", torrentPage],
    ] as const) {
      const samples: Sample[] = [];
      for (let round = 0; round < options.rounds; round += 1) {
        const seconds = 1000 / (await perSecond(`http://127.0.0.1:${port}${page}`, scratch));
        samples.push({ seconds, cpuSeconds: 0, peakMiB: 0 });
      }
      rows.push(row(what, "everseed", samples));
    }
    hub.stop();
    const { peakMiB, cpuSeconds } = await hub.cost;
    return rows.map((each) => ({ ...each, peakMiB, cpuSeconds }));
  },
};

/** @throws When anything but the page came. */
async function perSecond(url: string, scratch: string): Promise<number> {
  // wrk takes a redirect for an answer.
  const { status } = await fetch(url, { redirect: "manual" });
  if (status !== 200) throw new Error(`${url} was answered with ${status}`);
  const report = path.join(scratch, "wrk.txt");
  const load = `wrk -t1 -c${PAGE_CONNECTIONS} -d${PAGE_SECONDS}s`;
  await run(["sh", "-c", `exec ${load} '${url}' >'${report}'`], scratch);
  const text = fs.readFileSync(report, "utf8");
  if (text.includes("Non-2xx")) throw new Error(`${url} was not answered with the page:\n${text}`);
  return Number(/Requests\/sec:\s+([0-9.]+)/.exec(text)?.[1]);
}
