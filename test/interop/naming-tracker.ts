import http from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** @returns The tracker's URL that names nobody but this peer. */
export type NamingTracker = (peer: { readonly address: string; readonly port: number }) => string;

/** A tracker that tells whoever asks of one peer, which the URL names, and remembers nobody. */
export async function startNamingTracker(t: TestContext, address: string): Promise<NamingTracker> {
  const server = http.createServer((request, response) => {
    const [, host = "", port = ""] = /^\/([\d.]+)\/(\d+)\/announce/.exec(request.url ?? "") ?? [];
    const peer = Buffer.from([...host.split(".").map(Number), Number(port) >>> 8, Number(port)]);
    response.setHeader("content-type", "text/plain");
    const head = Buffer.from("d8:completei1e10:incompletei1e8:intervali1800e5:peers6:");
    response.end(Buffer.concat([head, peer, Buffer.from("e")]));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (peer) => `http://${address}:${port}/${peer.address}/${peer.port}/announce`;
}
