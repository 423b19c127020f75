import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";
import {
  type ConnectionId,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
} from "../../src/announce/udp-request.ts";

/** A program that asks a tracker over UDP, on a real socket of this machine. */
export class UdpFriend {
  readonly #socket: Socket;
  readonly #port: number;
  #connection: ConnectionId = [0, 0];

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
  }

  static async connect(t: TestContext, port: number): Promise<UdpFriend> {
    const socket = createSocket("udp4");
    t.after(() => socket.close());
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const friend = new UdpFriend(socket, port);
    const hello = await friend.#ask(encodeUdpConnect(1));
    friend.#connection = [hello.readUInt32BE(8), hello.readUInt32BE(12)];
    return friend;
  }

  /** @param trackerUrl - The part after its host is sent as well (BEP 41). */
  announce(infohash: Uint8Array, trackerUrl = "udp://tracker/announce"): Promise<Buffer> {
    const announce = {
      infohash,
      peerId: new Uint8Array(20).fill(0x41),
      port: 6881,
      uploaded: 0,
      downloaded: 0,
      left: 1,
      event: "none" as const,
      numwant: 10,
      key: 1,
    };
    return this.#ask(encodeUdpAnnounce(this.#connection, 2, { announce, trackerUrl }));
  }

  scrape(infohash: Uint8Array): Promise<Buffer> {
    return this.#ask(encodeUdpScrape(this.#connection, 3, [infohash]));
  }

  async #ask(packet: Uint8Array): Promise<Buffer> {
    const answered = once(this.#socket, "message", { signal: AbortSignal.timeout(10_000) });
    this.#socket.send(packet, this.#port, "127.0.0.1");
    const [reply] = (await answered) as [Buffer];
    return reply;
  }
}
