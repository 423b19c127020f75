/**
 * Measures an honest download whose DHT port is flooded; run by hand: `tools/run node bench/dht-flood.ts [MIB] [ROUNDS]
 * [KIND]`. A seed and a download of ours on loopback, and this process, which sends as fast as it can: in turn to the port of the
 * download, and to a port whose packets nobody reads, so that the flood itself takes as much of the machine.
 */
import { type ChildProcess, spawn } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { encodeQuery, encodeReply } from "../src/dht/encode-krpc.ts";
import { NodeRandom } from "../src/platform/node-random.ts";
import { median } from "./measure.ts";

const EVERSEED = path.join(import.meta.dirname, "..", "bin", "everseed");
const MIB = Number(process.argv[2] ?? 512);
const ROUNDS = Number(process.argv[3] ?? 3);
const KIND = process.argv[4] ?? "DHT";
const SOURCES = 32;
const BURST = 16;
const PLAIN = ["--encryption", "off", "--quiet"];

const random = new NodeRandom();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "everseed-dht-flood-"));
const id = random.bytes(20);
const transaction = random.bytes(2);
const query = (method: string, args: Record<string, Uint8Array | number>): Uint8Array =>
  encodeQuery({ transaction, method, args: { id, ...args }, readOnly: false });
const infohash = random.bytes(20);
/** DHT-1: questions with long answers. DHT-2: announces with somebody's token. DHT-3: answers nobody asked for. */
const KINDS: Readonly<Record<string, Uint8Array>> = {
  "DHT-1, get_peers": query("get_peers", { info_hash: infohash }),
  "DHT-2, announce_peer": query("announce_peer", {
    info_hash: infohash,
    port: 1,
    token: random.bytes(8),
  }),
  "DHT-3, replies": encodeReply({
    transaction: random.bytes(4),
    results: { id, nodes: random.bytes(208), token: random.bytes(8) },
    to: { address: "127.0.0.1", port: 1 },
  }),
};

/** Sends from many addresses until it is ended. @returns Packets sent. */
function flood(packet: Uint8Array, port: number): () => number {
  const sockets = Array.from({ length: SOURCES }, (_, at) => {
    const socket = dgram.createSocket("udp4");
    socket.on("error", () => undefined);
    socket.bind(0, `127.0.${1 + (at >> 4)}.${1 + (at & 15)}`);
    return socket;
  });
  let sent = 0;
  let isEnded = false;
  const send = (): void => {
    if (isEnded) return;
    for (const socket of sockets) {
      for (let i = 0; i < BURST; i += 1) socket.send(packet, port, "127.0.0.1");
      sent += BURST;
    }
    setImmediate(send);
  };
  setImmediate(send);
  return () => {
    isEnded = true;
    for (const socket of sockets) socket.close();
    return sent;
  };
}

function start(args: readonly string[]): ChildProcess {
  return spawn(EVERSEED, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
}

async function freePort(): Promise<number> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** @param packet - `undefined`: no flood at all. @returns Seconds, and packets a second. */
async function download(
  seedPort: number,
  packet: Uint8Array | undefined,
  isAimed: boolean,
): Promise<{ seconds: number; rate: number }> {
  const port = await freePort();
  const deaf = dgram.createSocket("udp4");
  deaf.bind(0, "127.0.0.1");
  await once(deaf, "listening");
  const target = isAimed ? port : deaf.address().port;
  fs.rmSync(path.join(folder, "out"), { recursive: true, force: true });
  const begin = performance.now();
  const end = packet ? flood(packet, target) : () => 0;
  const peer = `127.0.0.1:${seedPort}`;
  const listen = ["--listen", `127.0.0.1:${port}`, "--dht", "on", "--dht-bootstrap", "127.0.0.1:9"];
  const get = start(["get", "content.torrent", "-o", "out", "--peer", peer, ...listen, ...PLAIN]);
  const [code] = (await once(get, "exit")) as [number];
  const seconds = (performance.now() - begin) / 1000;
  const sent = end();
  deaf.close();
  if (code !== 0) throw new Error(`the download ended with ${code}`);
  return { seconds, rate: sent / seconds };
}

try {
  const bytes = random.bytes(1 << 20);
  const file = fs.openSync(path.join(folder, "content"), "w");
  for (let at = 0; at < MIB; at += 1) {
    bytes.set(random.bytes(64), 0);
    fs.writeSync(file, bytes);
  }
  fs.closeSync(file);
  await once(start(["create", "content", "-o", "content.torrent", "--quiet"]), "exit");
  const seedPort = await freePort();
  const place = `127.0.0.1:${seedPort}`;
  const seed = start(["seed", "content.torrent", "--listen", place, ...PLAIN]);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  try {
    for (const [name, packet] of Object.entries(KINDS)) {
      if (!name.includes(KIND)) continue;
      const quiet: number[] = [];
      const beside: number[] = [];
      const aimed: number[] = [];
      const rates: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        quiet.push((await download(seedPort, undefined, false)).seconds);
        beside.push((await download(seedPort, packet, false)).seconds);
        const { seconds, rate } = await download(seedPort, packet, true);
        aimed.push(seconds);
        rates.push(rate);
      }
      console.log(
        `${name}: ${MIB} MiB in ${median(quiet).toFixed(2)} s without a flood, ${median(beside).toFixed(2)} s beside one, ` +
          `${median(aimed).toFixed(2)} s under one of ${(median(rates) / 1000).toFixed(0)},000 packets a second: ` +
          `speed ${(median(beside) / median(aimed)).toFixed(2)} of that beside it`,
      );
    }
  } finally {
    seed.kill("SIGTERM");
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
