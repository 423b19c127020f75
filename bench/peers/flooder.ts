/**
 * Floods a download until it is told to end: `flooder.ts KIND PORT INFOHASH`. Prints how much it has sent as a line of JSON.
 */
import dgram from "node:dgram";
import net from "node:net";
import { fromHex } from "../../src/base/bytes.ts";
import { encodeQuery, encodeReply } from "../../src/dht/encode-krpc.ts";
import { encodeBtSearch, LSD_GROUPS } from "../../src/lsd/bt-search.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { DATA, emptyHead, encodeHead, HEADER_BYTES, SYN } from "../../src/utp/packet.ts";
import { encodeExtended } from "../../src/wire/encode-messages.ts";
import { encodeExtensionHandshake } from "../../src/wire/extensions.ts";
import { encodeHandshake } from "../../src/wire/handshake.ts";
import { encodePex, PEX_ENTRIES_MAX, UT_PEX } from "../../src/wire/ut-pex.ts";
import { floodHandshakes } from "../../test/fixtures/handshake-flood.ts";
import type { FloodKind } from "./flood-kinds.ts";

const [kind, portText, infohashText] = process.argv.slice(2) as [FloodKind, string, string];
const port = Number(portText);
const infohash = fromHex(infohashText)!;
const random = new NodeRandom();

/** Sockets of datagrams, each with an address of its own, and packets that each of them sends in a row. */
const SOURCES = 32;
const BURST = 16;
/** Connections of a flood over TCP, and messages that each writes at once. */
const CONNECTIONS = 32;
const MESSAGES = 64;

const count = start();
process.once("SIGTERM", () => {
  console.log(JSON.stringify({ event: "flooded", sent: count() }));
  process.exit(0);
});

/** @returns How much was sent so far. */
function start(): () => number {
  switch (kind) {
    case "pex":
      return floodPex();
    case "mse": {
      const flood = floodHandshakes({ address: "127.0.0.1", port });
      return () => flood.answered;
    }
    case "lsd":
      return floodDatagrams(LSD_GROUPS[0]!.address, LSD_GROUPS[0]!.port);
    default:
      return floodDatagrams("127.0.0.1", port);
  }
}

function packetOf(): Uint8Array {
  const id = random.bytes(20);
  const query = (method: string, args: Record<string, Uint8Array | number>): Uint8Array =>
    encodeQuery({ transaction: random.bytes(2), method, args: { id, ...args }, readOnly: false });
  switch (kind) {
    case "dht-get-peers":
      return query("get_peers", { info_hash: infohash });
    case "dht-ping":
      return query("ping", {});
    case "dht-announce":
      return query("announce_peer", { info_hash: infohash, port: 1, token: random.bytes(8) });
    case "dht-replies":
      return encodeReply({
        transaction: random.bytes(4),
        results: { id, nodes: random.bytes(208), token: random.bytes(8) },
        to: { address: "127.0.0.1", port: 1 },
      });
    case "lsd":
      return encodeBtSearch({ port: 1, infohashes: [infohash], cookie: "x" }, LSD_GROUPS[0]!);
    default: {
      const head = emptyHead();
      head.type = kind === "utp-junk" ? DATA : SYN;
      head.connectionId = random.below(0x1_0000);
      const packet = new Uint8Array(HEADER_BYTES + (kind === "utp-junk" ? 1000 : 0));
      encodeHead(packet, head);
      return packet;
    }
  }
}

/** As fast as this core can. */
function floodDatagrams(address: string, to: number): () => number {
  const packet = packetOf();
  const sockets = Array.from({ length: SOURCES }, (_, at) => {
    const socket = dgram.createSocket("udp4");
    // A packet that does not get through is what a flood expects.
    socket.on("error", () => undefined);
    const own = `127.0.${1 + (at >> 4)}.${1 + (at & 15)}`;
    socket.bind(0, own, () => kind === "lsd" && socket.setMulticastInterface("127.0.0.1"));
    return socket;
  });
  let sent = 0;
  const send = (): void => {
    for (const socket of sockets) {
      for (let i = 0; i < BURST; i += 1) socket.send(packet, to, address);
      sent += BURST;
    }
    setImmediate(send);
  };
  setTimeout(send, 100);
  return () => sent;
}

function floodPex(): () => number {
  const added = Array.from({ length: PEX_ENTRIES_MAX }, (_, at) => ({
    endpoint: { address: `9.9.9.${at}`, port: 1 + at },
    flags: 0,
  }));
  const message = encodeExtended(1, encodePex({ added, dropped: [] }));
  const messages = Buffer.concat(Array.from({ length: MESSAGES }, () => message));
  let sent = 0;
  const open = (at: number): void => {
    const localAddress = `127.2.${at}.1`;
    const socket = net.connect({ host: "127.0.0.1", port, localAddress });
    // It is closed by the other side, which is what is measured.
    socket.on("error", () => undefined);
    const write = (): void => {
      while (!socket.destroyed) {
        sent += MESSAGES;
        if (!socket.write(messages)) break;
      }
    };
    socket.on("connect", () => {
      const peerId = random.bytes(20);
      const flags = { extended: true, fast: false, dht: false, v2: false };
      socket.write(encodeHandshake({ infohash, peerId, ...flags }));
      const words = { messages: new Map([[UT_PEX, 1]]) };
      socket.write(encodeExtended(0, encodeExtensionHandshake(words)));
      write();
    });
    socket.on("drain", write);
    socket.resume();
    socket.on("close", () => setImmediate(open, at));
  };
  for (let at = 0; at < CONNECTIONS; at += 1) open(at);
  return () => sent;
}
