import { once } from "node:events";
import dgram from "node:dgram";
import http from "node:http";
import type { TestContext } from "node:test";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { RouterCalls } from "../../src/platform/router-calls.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { type RouterServiceOptions, RouterService } from "../../src/nat/router-service.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { type GatewayOptions, SimGateway } from "./sim-gateway.ts";

/** This machine, as the router sees it. */
export const US = "127.0.0.1";

export type Answer = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
) => void;

/** A router on a loopback address of its own, with real sockets. */
export interface LoopbackGateway {
  readonly gateway: SimGateway;
  readonly searchPlace: Endpoint;
  /** Paths requested by HTTP, in their order. */
  readonly paths: string[];
  /** Packets to port 5351, with the port that sent them. */
  readonly from: number[];
}

let count = 0;

/** An address that no other test of this process or another one uses. */
export function freeAddress(): string {
  count += 1;
  return `127.${64 + (process.pid % 64)}.${(process.pid >> 6) & 255}.${count}`;
}

/** @param answer - Answers by HTTP instead of the gateway. */
export async function openGateway(
  t: TestContext,
  options: GatewayOptions,
  answer?: Answer,
): Promise<LoopbackGateway> {
  const address = freeAddress();
  const paths: string[] = [];
  const from: number[] = [];
  const server = http.createServer((request, response) => {
    paths.push(request.url ?? "");
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString();
      if (answer) {
        answer(request, response, body);
        return;
      }
      const reply = gateway.answerHttp(
        { method: request.method ?? "", path: request.url ?? "", body },
        performance.now(),
      );
      response.writeHead(reply.status, { "content-type": "text/xml" }).end(reply.body);
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const gateway = new SimGateway({ ...options, address, httpPort: port });
  const mapping = dgram.createSocket("udp4", (packet, sender) => {
    from.push(sender.port);
    const reply = gateway.answerMapping(packet, sender.address, performance.now());
    if (reply) mapping.send(reply, sender.port, sender.address);
  });
  const search = dgram.createSocket("udp4", (packet, sender) => {
    const reply = gateway.answerSearch(packet);
    if (reply) search.send(reply, sender.port, sender.address);
  });
  mapping.bind(5351, address);
  search.bind(0, address);
  await Promise.all([once(mapping, "listening"), once(search, "listening")]);
  t.after(() => {
    mapping.close();
    search.close();
    server.close();
    server.closeAllConnections();
  });
  return { gateway, searchPlace: { address, port: search.address().port }, paths, from };
}

/** The network of a machine whose router that is; nothing leaves the loopback interface. */
export function networkOf({ gateway, searchPlace }: LoopbackGateway) {
  return {
    calls: new RouterCalls(),
    datagrams: new UdpNet(),
    searchPlace,
    places: () => ({ ipv4: { address: US, gateway: gateway.address }, ipv6: undefined }),
    isNear: (address: string) => address.startsWith("127."),
  };
}

/** A service that asks this router; it is closed at the end of the test. */
export function openService(
  t: TestContext,
  router: LoopbackGateway,
  more: Partial<RouterServiceOptions> = {},
): RouterService {
  const service = new RouterService({
    ...networkOf(router),
    clock: new NodeClock(),
    random: new NodeRandom(),
    log: SILENT_LOG,
    ports: () => ({ tcp: 6881, udp: 6881 }),
    ...more,
  });
  t.after(() => service.close());
  return service;
}
