import http from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface SmallTracker {
  readonly url: string;
  /** A peer has announced. */
  readonly firstAnnounce: Promise<void>;
}

/**
 * A minimal tracker that is not ours: it remembers the ports of peers that announce, and tells every peer all others.
 * All peers are on 127.0.0.1. Transmission does not dial loopback addresses, so others must dial it.
 */
export async function startSmallTracker(t: TestContext): Promise<SmallTracker> {
  const first = Promise.withResolvers<void>();
  const ports = new Set<number>();
  const server = http.createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://tracker").searchParams;
    const asker = Number(query.get("port"));
    if (query.get("event") === "stopped") ports.delete(asker);
    else ports.add(asker);
    first.resolve();
    const others = [...ports].filter((port) => port !== asker);
    const peers = Buffer.from(others.flatMap((port) => [127, 0, 0, 1, port >>> 8, port & 0xff]));
    const head = Buffer.from(`d8:completei1e10:incompletei1e8:intervali2e5:peers${peers.length}:`);
    response.setHeader("content-type", "text/plain");
    response.end(Buffer.concat([head, peers, Buffer.from("e")]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
  return { url, firstAnnounce: first.promise };
}
