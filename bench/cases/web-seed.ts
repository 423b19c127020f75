import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ARIA2_ALONE } from "../../test/fixtures/aria2-alone.ts";
import { freePort } from "../../test/fixtures/free-port.ts";
import {
  createTorrent,
  freshFolder,
  row,
  writeData,
  type BenchCase,
  type BenchOptions,
  type BenchRow,
  type Sample,
} from "../bench-case.ts";
import { run } from "../measure.ts";

const MIB = 1024 * 1024;
const NGINX = "/usr/sbin/nginx";
/** Of waiting for it. */
const START_MS = 10_000;

/** The same bytes by the client of Node alone, hashed and written: a bound for any program of Node. */
const FLOOR = path.join(import.meta.dirname, "..", "peers", "http-floor.ts");

/** No peers, and no other way to any. */
const ARIA2 = [...ARIA2_ALONE, "--seed-time=0", "--quiet=true"];
const OURS = ["--listen", "127.0.0.1:0", "--dht", "off", "--lsd", "off", "--quiet"];

/** The file comes from one nginx alone. Measured is a whole process, its start and the check of each piece included. */
export const webSeed: BenchCase = {
  name: "web-seed",
  about: "1 GiB from one web server (nginx) alone, without a peer, beside aria2c",
  async run(options) {
    const data = path.join(options.scratch, "data");
    const file = path.join(data, "one.bin");
    writeData(file, (1024 * MIB) / options.shrink);
    const server = await startNginx(data, options.scratch);
    try {
      const torrent = createTorrent(file, path.join(options.scratch, "one.torrent"), [
        "--kind",
        "v1",
        "--web-seed",
        server.url,
      ]);
      return await compare(torrent, server.url, options);
    } finally {
      server.stop();
    }
  },
};

/** The programs alternate, so that a change of the machine's speed affects both. */
async function compare(
  torrent: string,
  url: string,
  { copies, rounds, scratch }: BenchOptions,
): Promise<BenchRow[]> {
  const out = path.join(scratch, "out");
  const programs: (readonly [program: string, command: readonly string[]])[] = [
    ...copies.map(({ program, everseed }) => {
      const command = [everseed, "get", torrent, "-o", out, "--web-seed", url, ...OURS];
      return [program, command] as const;
    }),
    ["aria2c", [...ARIA2, `--dir=${out}`, torrent]],
    [
      "node:http, SHA-1, a file",
      [process.execPath, FLOOR, `${url}one.bin`, path.join(out, "one.bin")],
    ],
  ];
  const samples = programs.map(() => [] as Sample[]);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, [, command]] of programs.entries()) {
      freshFolder(out);
      const cost = await run(command, scratch);
      samples[at]!.push({ ...cost, seconds: cost.wallSeconds });
    }
  }
  return programs.map(([program], at) => row("get", program, samples[at]!));
}

/** nginx as a plain server of the files of a folder. */
async function startNginx(
  root: string,
  scratch: string,
): Promise<{ readonly url: string; stop(): void }> {
  const port = await freePort();
  const folder = freshFolder(path.join(scratch, "nginx"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `${each}_temp_path ${folder}/${each};`)
    .join(" ");
  const config = path.join(folder, "nginx.conf");
  fs.writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;\nevents {}\n` +
      `http { access_log off; sendfile on; ${temporary}\nserver { listen 127.0.0.1:${port}; root ${root}; } }\n`,
  );
  const nginx = spawn(NGINX, ["-p", folder, "-e", "stderr", "-c", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}/`;
  const endMs = performance.now() + START_MS;
  while (!(await answers(url))) {
    if (performance.now() > endMs || nginx.exitCode !== null) {
      nginx.kill();
      throw new Error("nginx does not start (tools/peers.sh installs it)");
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, stop: () => nginx.kill() };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}
