import http from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A tracker that knows one peer and tells everybody of it: for programs that only trackers can introduce. */
export async function startFixedTracker(t: TestContext, peerPort: () => number): Promise<string> {
  const server = http.createServer((_request, response) => {
    const port = peerPort();
    const peer = Buffer.from([127, 0, 0, 1, port >>> 8, port & 0xff]);
    const head = Buffer.from("d8:completei1e10:incompletei0e8:intervali60e5:peers6:");
    response.setHeader("content-type", "text/plain");
    response.end(Buffer.concat([head, peer, Buffer.from("e")]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
}
