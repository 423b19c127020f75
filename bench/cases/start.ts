import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../src/wire/handshake.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import {
  createTorrent,
  freshFolder,
  inEmptyHome,
  LIBTORRENT,
  row,
  writeData,
  type BenchCase,
  type BenchRow,
  type Sample,
} from "../bench-case.ts";
import { monotonicSeconds, run, watch } from "../measure.ts";

const PAGE_SECONDS = 5;
const PAGE_CONNECTIONS = 32;
const PUBLISHED = 50;

/** Starts a hub and waits until it is reachable. */
async function startHub(everseed: string, data: string, scratch: string) {
  const startedAt = performance.now();
  const hub = watch(
    [everseed, "hub", "start", "--data", data, "--host", "127.0.0.1", "--port", "0", "--json"],
    scratch,
  );
  const ready = await hub.event("ready");
  return { hub, port: Number(ready.port), seconds: (performance.now() - startedAt) / 1000 };
}

const HOST = "127.0.0.1";
const CONTENT_BYTES = 128 * 1024 * 1024;
/** How long a seed idles before it is stopped: its peak memory is the memory of an idle seed. */
const IDLE_MS = 2_000;

/** What users wait for on a machine where nothing has run before: help, and a seed that answers. */
export const firstStart: BenchCase = {
  name: "first-start",
  about:
    "processes in empty homes: `everseed --help` beside a Node that does nothing, and a seed of 128 MiB " +
    "from its start to the first handshake that it answers",
  run: async (options) => {
    const { scratch } = options;
    const home = path.join(scratch, "home");
    const file = path.join(scratch, "data/one.bin");
    writeData(file, CONTENT_BYTES / options.shrink);
    const torrent = createTorrent(file, path.join(scratch, "one.torrent"), ["--kind", "v1"]);
    const folder = path.dirname(file);
    const programs = [
      ...options.copies.map(({ program, everseed }) => ({
        what: "--help",
        name: program,
        measure: () => toEnd(inEmptyHome(home, [everseed, "--help"]), scratch),
      })),
      {
        what: "--help",
        name: "node -e 0",
        measure: () => toEnd(inEmptyHome(home, [process.execPath, "-e", "0"]), scratch),
      },
      ...[
        ...options.copies.map(({ program, everseed }) => ({
          name: program,
          seed: [everseed, "seed", torrent, "--data", folder, "--listen", `${HOST}:0`, "--json"],
        })),
        { name: "libtorrent", seed: [...LIBTORRENT, "seed", torrent, folder, HOST] },
      ].map(({ name, seed }) => ({
        what: "seed to handshake",
        name,
        measure: () => toHandshake(inEmptyHome(home, seed), torrent, scratch),
      })),
    ].map((each) => ({ ...each, samples: [] as Sample[] }));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const { measure, samples } of programs) samples.push(await measure());
    }
    return programs.map(({ what, name, samples }) => row(what, name, samples));
  },
};

async function toEnd(command: readonly string[], scratch: string): Promise<Sample> {
  const cost = await run(["sh", "-c", 'exec "$@" >/dev/null', "sh", ...command], scratch);
  return { ...cost, seconds: cost.wallSeconds };
}

async function toHandshake(
  command: readonly string[],
  torrent: string,
  scratch: string,
): Promise<Sample> {
  const seed = watch(command, scratch);
  const { port } = await seed.event("ready");
  while (!(await isGreeted(Number(port), torrent))) {
    // libtorrent refuses until it has checked its files: tries again at once.
  }
  const greetedAt = monotonicSeconds();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  seed.stop();
  const cost = await seed.cost;
  return { ...cost, seconds: greetedAt - cost.startedAt };
}

/** Connects as a peer. @returns Whether a handshake was answered. */
async function isGreeted(port: number, torrent: string): Promise<boolean> {
  const { infohashes } = parseMetainfo(fs.readFileSync(torrent)).info;
  const socket = net.connect(port, HOST);
  socket.on("error", () => socket.destroy());
  socket.write(
    encodeHandshake({
      infohash: infohashes.v1!,
      peerId: Buffer.from(`-XX0000-${String(process.hrtime.bigint()).slice(-12)}`),
      extended: false,
      fast: false,
      dht: false,
      v2: false,
    }),
  );
  const reply = await Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.destroy();
  return reply[0] instanceof Uint8Array && reply[0].length >= HANDSHAKE_BYTES;
}

export const start: BenchCase = {
  name: "start",
  about: "from the command to ready: the hub on an empty data folder, and `everseed --help`",
  run: async (options) => {
    const samples = options.copies.map(() => ({ hubs: [] as Sample[], helps: [] as Sample[] }));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [index, { everseed }] of options.copies.entries()) {
        const { hubs, helps } = samples[index]!;
        const data = freshFolder(path.join(options.scratch, "start"));
        const { hub, seconds } = await startHub(everseed, data, options.scratch);
        hub.stop();
        hubs.push({ ...(await hub.cost), seconds });
        const help = await run([everseed, "get", "--help"], options.scratch);
        helps.push({ ...help, seconds: help.wallSeconds });
      }
    }
    return options.copies.flatMap(({ program }, index) => [
      row("hub start to ready", program, samples[index]!.hubs),
      row("get --help", program, samples[index]!.helps),
    ]);
  },
};

/** Publishes small files, so that the pages have content. @returns The page of the last one. */
async function publishSome(
  everseed: string,
  scratch: string,
  site: string,
  tokenFile: string,
): Promise<string> {
  let pageUrl = "";
  for (let number = 1; number <= PUBLISHED; number += 1) {
    const file = path.join(scratch, `talk ${number}.txt`);
    fs.writeFileSync(file, `talk number ${number}\n`.repeat(1000));
    const told = path.join(scratch, "published.json");
    const command = [everseed, "publish", file, "--to", site, "--token-file", tokenFile, "--json"];
    const quoted = command.map((word) => `'${word}'`).join(" ");
    await run(["sh", "-c", `exec ${quoted} >'${told}'`], scratch);
    ({ pageUrl } = JSON.parse(fs.readFileSync(told, "utf8")) as { pageUrl: string });
  }
  return new URL(pageUrl).pathname;
}

/** A hub with something published. */
async function openCatalogue(everseed: string, scratch: string) {
  const data = freshFolder(path.join(scratch, "pages"));
  const password = path.join(scratch, "password");
  const token = path.join(scratch, "token");
  fs.writeFileSync(password, "correct horse battery staple\n", { mode: 0o600 });
  fs.rmSync(token, { force: true });
  const init = ["hub", "init", "--data", data, "--admin", "bench", "--password-file", password];
  await run([everseed, ...init, "--token-file", token, "-q"], scratch);
  const { hub, port } = await startHub(everseed, data, scratch);
  const site = `http://127.0.0.1:${port}`;
  return { hub, site, torrentPage: await publishSome(everseed, scratch, site, token) };
}

export const pages: BenchCase = {
  name: "pages",
  about: `pages of a hub with ${PUBLISHED} torrents: seconds per 1,000, ${PAGE_CONNECTIONS} connections of wrk`,
  run: async ({ copies, rounds, scratch }) => {
    const hubs = [];
    for (const copy of copies) {
      const folder = path.join(scratch, copy.program.replace(" ", "-"));
      fs.mkdirSync(folder);
      const catalogue: Sample[] = [];
      const torrent: Sample[] = [];
      hubs.push({ ...copy, ...(await openCatalogue(copy.everseed, folder)), catalogue, torrent });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { site, torrentPage, catalogue, torrent } of hubs) {
        catalogue.push(await perThousand(`${site}/`, scratch));
        torrent.push(await perThousand(`${site}${torrentPage}`, scratch));
      }
    }
    const rows: BenchRow[] = [];
    for (const { hub, program, catalogue, torrent } of hubs) {
      hub.stop();
      const { peakMiB, cpuSeconds } = await hub.cost;
      rows.push({ ...row("1,000 x catalogue", program, catalogue), peakMiB, cpuSeconds });
      rows.push({ ...row("1,000 x torrent page", program, torrent), peakMiB, cpuSeconds });
    }
    return rows;
  },
};

async function perThousand(url: string, scratch: string): Promise<Sample> {
  return { seconds: 1000 / (await perSecond(url, scratch)), cpuSeconds: 0, peakMiB: 0 };
}

/** @throws When the answer is not the page. */
async function perSecond(url: string, scratch: string): Promise<number> {
  // wrk counts a redirect as an answer.
  const { status } = await fetch(url, { redirect: "manual" });
  if (status !== 200) throw new Error(`${url} was answered with ${status}`);
  const report = path.join(scratch, "wrk.txt");
  const load = `wrk -t1 -c${PAGE_CONNECTIONS} -d${PAGE_SECONDS}s`;
  await run(["sh", "-c", `exec ${load} '${url}' >'${report}'`], scratch);
  const text = fs.readFileSync(report, "utf8");
  if (text.includes("Non-2xx")) throw new Error(`${url} was not answered with the page:\n${text}`);
  return Number(/Requests\/sec:\s+([0-9.]+)/.exec(text)?.[1]);
}
