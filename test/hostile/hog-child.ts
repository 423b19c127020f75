import net from "node:net";
import { fromHex } from "../../src/base/bytes.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames, RawPeer } from "./raw-peer.ts";

/**
 * `node hog-child.ts PORT INFOHASH fast|plain`: requests 100,000 blocks from a seed on loopback and reads none. It is
 * a separate process, so that its unsent bytes do not count as the seed's memory.
 */
const [port, infohash, speech] = process.argv.slice(2);
const BLOCK = 16_384;
const requests = Buffer.concat(
  Array.from({ length: 1000 }, (_, i) => frames.request(i % 64, (i % 4) * BLOCK, BLOCK)),
);
new RawPeer(net.connect({ host: "127.0.0.1", port: Number(port) }), {
  infohash: fromHex(infohash!)!,
  flags: { fast: speech === "fast" },
  ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
  unchoke: (peer) => {
    peer.socket.pause();
    for (let i = 0; i < 100; i += 1) peer.send(requests);
    process.stdout.write("asked\n");
  },
});
