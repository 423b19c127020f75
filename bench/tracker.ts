// The tracker, by hand: tools/run node bench/tracker.ts [seconds]. Announces over loopback, from here to a hub and, where it
// is installed, to opentracker, one after the other; and the same announces without sockets, as calls.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { announceUrl } from "../src/announce/http-request.ts";
import type { OutgoingAnnounce } from "../src/announce/announce-request.ts";
import { encodeUdpAnnounce, encodeUdpConnect } from "../src/announce/udp-request.ts";
import { readUint32, toHex, writeUint32 } from "../src/base/bytes.ts";
import { trackerWorld } from "../test/tracker/tracker-world.ts";

const EVERSEED = path.join(import.meta.dirname, "..", "bin", "everseed");
const OPENTRACKER = "opentracker";
const HOST = "127.0.0.1";
const SWARMS = 100;
const PEERS_PER_SWARM = 50;
const UDP_UNDER_WAY = 64;
const HTTP_UNDER_WAY = 32;
/** A lost packet gives its place to the next one after this time. */
const UDP_LOST_MS = 500;
const MS = Number(process.argv[2] ?? 3) * 1000;

const infohashes = Array.from({ length: SWARMS }, (_, swarm) => new Uint8Array(20).fill(swarm + 1));
const announces = infohashes.flatMap((infohash) =>
  Array.from({ length: PEERS_PER_SWARM }, (_, peer): OutgoingAnnounce => ({
    infohash,
    peerId: new Uint8Array(20).fill(65 + (peer % 26)),
    port: 1_000 + peer,
    uploaded: 0,
    downloaded: 0,
    left: peer % 3,
    event: "started",
    numwant: 50,
    key: 1,
  })),
);
const announceAt = (count: number): OutgoingAnnounce => announces[(count * 61) % announces.length]!;

interface Server {
  readonly name: string;
  readonly process: ChildProcess;
  readonly httpPort: number;
  readonly udpPort: number;
}

/** CPU time of a process so far, of all its threads, in seconds. */
function cpuSeconds({ pid }: ChildProcess): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "latin1" }));

function row(what: string, count: number, took: { ms: number; cpu: number }): void {
  const rate = Math.round((count / took.ms) * 1000).toLocaleString("en");
  const cpu = ((took.cpu / count) * 1e6).toFixed(1);
  console.log(`| ${what.padEnd(40)} | ${rate.padStart(9)} | ${cpu.padStart(6)} |`);
}

/** Counts the answers that `run` receives, against the CPU time of the tracker. */
async function measure(
  what: string,
  server: Server,
  run: (server: Server, untilMs: number) => Promise<number>,
): Promise<void> {
  await run(server, performance.now() + MS / 4);
  const [begin, cpu] = [performance.now(), cpuSeconds(server.process)];
  const count = await run(server, begin + MS);
  const took = { ms: performance.now() - begin, cpu: cpuSeconds(server.process) - cpu };
  row(`${what}: ${server.name}`, count, took);
}

async function announceByUdp({ udpPort }: Server, untilMs: number): Promise<number> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, HOST);
  await once(socket, "listening");
  socket.setRecvBufferSize(4 * 1024 * 1024);
  socket.send(encodeUdpConnect(7), udpPort, HOST);
  const [hello] = (await once(socket, "message")) as [Uint8Array];
  const id = [readUint32(hello, 8), readUint32(hello, 12)] as const;
  // Prepared in advance: the bench measures the other side.
  const packets = announces.map((announce) =>
    encodeUdpAnnounce(id, 0, { announce, trackerUrl: "udp://tracker/announce" }),
  );
  let [answered, sent, answeredBefore] = [0, 0, -1];
  const ask = (): void => {
    const packet = packets[(sent * 61) % packets.length]!;
    writeUint32(packet, 12, sent);
    sent += 1;
    socket.send(packet, udpPort, HOST);
  };
  socket.on("message", () => {
    answered += 1;
    ask();
  });
  for (let i = 0; i < UDP_UNDER_WAY; i += 1) ask();
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(UDP_LOST_MS, MS / 4)));
    if (answered === answeredBefore) for (let i = 0; i < UDP_UNDER_WAY; i += 1) ask();
    answeredBefore = answered;
  }
  socket.close();
  return answered;
}

function requests(connection: "close" | "keep-alive"): string[] {
  return announces.map((announce) => {
    const target = announceUrl("http://tracker/announce", announce).replace("http://tracker", "");
    return `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: ${connection}\r\n\r\n`;
  });
}

/** As programs announce: a connection for each announce. */
async function announceByHttp({ httpPort }: Server, untilMs: number): Promise<number> {
  const texts = requests("close");
  let [answered, asked] = [0, 0];
  const askOn = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const socket = net.connect(httpPort, HOST);
      let head = "";
      socket.on("data", (chunk: Buffer) => (head ||= chunk.toString("latin1", 0, 12)));
      socket.write(texts[(asked++ * 61) % texts.length]!);
      await once(socket, "close");
      if (/^HTTP\/1.. 200/.test(head)) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: HTTP_UNDER_WAY }, askOn));
  return answered;
}

/** As a proxy announces: few connections, kept open. */
async function announceByKeptHttp({ httpPort }: Server, untilMs: number): Promise<number> {
  const texts = requests("keep-alive");
  let [answered, asked] = [0, 0];
  const askOn = async (): Promise<void> => {
    const socket = net.connect(httpPort, HOST);
    while (performance.now() < untilMs) {
      socket.write(texts[(asked++ * 61) % texts.length]!);
      const [chunk] = (await once(socket, "data")) as [Buffer];
      if (chunk.toString("latin1", 9, 12) === "200") answered += 1;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: HTTP_UNDER_WAY }, askOn));
  return answered;
}

async function startHub(folder: string): Promise<Server> {
  const child = spawn(EVERSEED, ["hub", "start", "--data", path.join(folder, "data"), "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      EVERSEED_PORT: "0",
      EVERSEED_ENGINE_PORT: "0",
      EVERSEED_TRACKER_UDP_PORT: "0",
      EVERSEED_TRACKER_OPEN: "true",
      EVERSEED_TRACKER_REQUESTS_PER_SECOND_MAX: "1000000",
      // All peers of a bench are on this machine.
      EVERSEED_TRACKER_PEERS_PER_ADDRESS_IN_SWARM: "65000",
    },
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('"ready"')) continue;
    const { port, udpPort } = JSON.parse(line) as { port: number; udpPort: number };
    return { name: "everseed", process: child, httpPort: port, udpPort };
  }
  throw new Error("the hub did not start");
}

/** Debian builds it with a whitelist. */
async function startOpentracker(folder: string): Promise<Server> {
  fs.writeFileSync(path.join(folder, "white"), `${infohashes.map(toHex).join("\n")}\n`);
  fs.chmodSync(folder, 0o755);
  const probe = net.createServer().listen(0, HOST);
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  const places = ["-i", HOST, "-p", `${port}`, "-P", `${port}`, "-d", folder, "-w", "white"];
  const child = spawn(OPENTRACKER, places, { stdio: "ignore" });
  for (let tries = 0; tries < 50; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const socket = net.connect(port, HOST);
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return { name: OPENTRACKER, process: child, httpPort: port, udpPort: port };
  }
  throw new Error("opentracker did not start");
}

/** Only the answers. */
function measureCalls(): void {
  const world = trackerWorld({ open: true, everseed: false, limits: { details: false } });
  const asker = { address: new Uint8Array([10, 0, 0, 1]), local: undefined };
  const targets = requests("close").map((text) => text.split(" ")[1]!);
  const from = { address: "10.0.0.1", port: 7_000 };
  const hello = world.udp.answer(encodeUdpConnect(1), from)!;
  const id = [readUint32(hello, 8), readUint32(hello, 12)] as const;
  const packets = targets.map((_, index) =>
    encodeUdpAnnounce(id, 1, { announce: announceAt(index), trackerUrl: "udp://t/announce" }),
  );
  const calls: readonly [what: string, call: (count: number) => unknown][] = [
    ["HTTP, a call", (count) => world.http.answer(targets[(count * 61) % targets.length]!, asker)],
    ["UDP, a call", (count) => world.udp.answer(packets[count % packets.length]!, from)],
  ];
  for (const [what, call] of calls) {
    for (let count = 0; count < 20_000; count += 1) call(count);
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    let count = 0;
    while (performance.now() < begin + MS / 3) for (let i = 0; i < 1_000; i += 1) call(count++);
    const { user, system } = process.cpuUsage(cpu);
    row(what, count, { ms: performance.now() - begin, cpu: (user + system) / 1e6 });
  }
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "everseed-bench-"));
const servers: Server[] = [];
try {
  console.log(`| ${"announces".padEnd(40)} | a second  | CPU us |`);
  measureCalls();
  servers.push(await startHub(folder));
  const has = (program: string): boolean =>
    (process.env["PATH"] ?? "").split(":").some((each) => fs.existsSync(path.join(each, program)));
  if (has(OPENTRACKER)) servers.push(await startOpentracker(folder));
  for (const server of servers) await measure("UDP", server, announceByUdp);
  for (const server of servers) await measure("HTTP, one a connection", server, announceByHttp);
  // opentracker closes after each answer.
  await measure("HTTP, kept connections", servers[0]!, announceByKeptHttp);
} finally {
  for (const { process: child } of servers) {
    if (child.exitCode !== null) continue;
    const ended = once(child, "close");
    child.kill();
    await ended;
  }
  fs.rmSync(folder, { recursive: true });
}
