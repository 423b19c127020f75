import http from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../src/wire/handshake.ts";
import { freshFolder, row, type BenchCase, type BenchRow, type Sample } from "../bench-case.ts";
import {
  cpuSecondsOf,
  HOST,
  LIBTORRENT_WITH_MANY,
  type ManyProgram,
  ourHub,
  ourNode,
  residentMiBOf,
  type RunningProgram,
  TRANSMISSION,
} from "../many-programs.ts";
import { makeMany, type ManyTorrents } from "../many-torrents.ts";
import { monotonicSeconds } from "../measure.ts";

/** A program is ready when it has answered handshakes for so many torrents, spread over all. */
const READY_TORRENTS = 5;
/** After the start nothing is measured for so long; seeds that were active last are woken meanwhile. */
const SETTLE_MS = 10_000;
const REST_MS = 25_000;
const HANDSHAKES_PER_SECOND = 100;
const HANDSHAKES = 1_000;
/** A prime: every torrent has its turn, in no order that a program could guess. */
const STRIDE = 7_919;
const ANSWER_MS_MAX = 60_000;
/** Transmission takes minutes for more, and libtorrent gigabytes. */
const OTHERS_MAX = 10_000;

/** What a node costs that keeps many finished torrents which nobody asks for, and how fast it answers for any of them. */
export const many = manyCase("many", 10_000);
export const manyLarge = manyCase("many-large", 100_000);

function manyCase(name: string, count: number): BenchCase {
  return {
    name,
    about:
      `${count} finished torrents of 16 KiB: from the start to the first handshakes answered; at rest, ` +
      `${REST_MS / 1000} s; ${HANDSHAKES_PER_SECOND} handshakes a second, each for another torrent (99 of 100 took at most)`,
    run: async ({ copies, rounds, shrink, scratch }) => {
      const tracker = await openTracker();
      const torrents = makeMany(scratch, Math.ceil(count / shrink), tracker.url);
      const programs = [
        ...copies.map(ourNode),
        ...copies.map(ourHub),
        ...(torrents.count > OTHERS_MAX ? [] : [LIBTORRENT_WITH_MANY, TRANSMISSION]),
      ].map((program, index) => ({
        program,
        folder: freshFolder(path.join(scratch, `program-${index}`)),
        samples: [] as Measured[],
      }));
      try {
        for (const { program, folder } of programs) await program.prepare(torrents, folder);
        for (let round = 0; round < rounds; round += 1) {
          for (const { program, folder, samples } of programs) {
            samples.push(await measure(program, torrents, folder));
          }
        }
      } finally {
        tracker.close();
      }
      return (["ready", "at rest", "handshakes"] as const).flatMap((what): BenchRow[] =>
        programs.map(({ program, samples }) =>
          row(
            `${torrents.count}, ${what}`,
            program.program,
            samples.map((sample) => sample[what]),
          ),
        ),
      );
    },
  };
}

type Measured = Readonly<Record<"ready" | "at rest" | "handshakes", Sample>>;

async function measure(
  program: ManyProgram,
  torrents: ManyTorrents,
  folder: string,
): Promise<Measured> {
  const running = await program.start(torrents, folder);
  try {
    for (let index = 0; index < READY_TORRENTS; index += 1) {
      const place = Math.floor((index * (torrents.count - 1)) / (READY_TORRENTS - 1));
      await untilAnswered(running, torrents.infohash(place));
    }
    const ready = sampleOf(running, monotonicSeconds() - running.startedAt, 0);
    await setTimeout(SETTLE_MS);
    const before = cpuSecondsOf(running.pid);
    await setTimeout(REST_MS);
    const rest = sampleOf(running, REST_MS / 1000, before);
    const cpuBefore = cpuSecondsOf(running.pid);
    const answers = await shakeHands(running, torrents);
    const worst = answers[Math.floor(answers.length * 0.99)]!;
    const refused = answers.filter((seconds) => seconds >= ANSWER_MS_MAX / 1000).length;
    console.log(
      `  ${program.program}: rest ${rest.cpuSeconds.toFixed(2)} s of CPU, ${rest.peakMiB.toFixed(0)} MiB; handshakes ` +
        `${quantile(answers, 0.5)}, ${quantile(answers, 0.99)}, ${quantile(answers, 1)} ms (median, 99 %, last), ` +
        `${refused} not answered`,
    );
    return { ready, "at rest": rest, handshakes: sampleOf(running, worst, cpuBefore) };
  } finally {
    await running.stop();
  }
}

function sampleOf({ pid }: RunningProgram, seconds: number, cpuBefore: number): Sample {
  return { seconds, cpuSeconds: cpuSecondsOf(pid) - cpuBefore, peakMiB: residentMiBOf(pid) };
}

function quantile(answers: readonly number[], share: number): string {
  const at = Math.min(answers.length - 1, Math.floor(answers.length * share));
  return (1000 * answers[at]!).toFixed(1);
}

/** @returns Seconds that each answer took, shortest first. */
async function shakeHands({ port }: RunningProgram, torrents: ManyTorrents): Promise<number[]> {
  const begun = monotonicSeconds();
  const answers: Promise<number>[] = [];
  for (let number = 0; number < Math.min(HANDSHAKES, torrents.count); number += 1) {
    const dueMs = 1000 * (begun + number / HANDSHAKES_PER_SECOND - monotonicSeconds());
    if (dueMs > 0) await setTimeout(dueMs);
    const infohash = torrents.infohash((number * STRIDE) % torrents.count);
    const from = monotonicSeconds();
    answers.push(
      isAnswered(port, infohash).then((answered) =>
        answered ? monotonicSeconds() - from : ANSWER_MS_MAX / 1000,
      ),
    );
  }
  return (await Promise.all(answers)).toSorted((a, b) => a - b);
}

async function untilAnswered({ port }: RunningProgram, infohash: Uint8Array): Promise<void> {
  const endsAt = monotonicSeconds() + 600;
  while (!(await isAnswered(port, infohash))) {
    if (monotonicSeconds() > endsAt) throw new Error("a handshake is not answered");
    await setTimeout(5);
  }
}

let peers = 0;

/**
 * Connects as a peer, each from an address and, by turns, a network of its own: Transmission talks to one newcomer of an
 * address at a time, and we accept 20 a second of a network.
 */
async function isAnswered(port: number, infohash: Uint8Array): Promise<boolean> {
  peers += 1;
  const localAddress = `127.${1 + (peers % 250)}.${(peers >> 8) & 0xff}.${1 + (peers % 250)}`;
  const socket = net.connect({ port, host: HOST, localAddress });
  socket.on("error", () => socket.destroy());
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
  const peerId = Buffer.from(`-XX0000-${String(process.hrtime.bigint()).slice(-12)}`);
  const flags = { extended: false, fast: false, dht: false, v2: false };
  socket.write(encodeHandshake({ infohash, peerId, ...flags }));
  let bytes = 0;
  const answered = new Promise<boolean>((resolve) => {
    socket.on("data", (part) => {
      bytes += part.length;
      if (bytes >= HANDSHAKE_BYTES) resolve(true);
    });
    socket.on("close", () => resolve(false));
  });
  const result = await answered;
  socket.destroy();
  return result;
}

/** A tracker that knows nobody. */
async function openTracker() {
  const reply = encode(dictOf({ interval: 1800, peers: "" }));
  const server = http.createServer((_request, response) => {
    response.setHeader("connection", "close");
    response.end(reply);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://${HOST}:${port}/announce`, close: () => server.close() };
}
