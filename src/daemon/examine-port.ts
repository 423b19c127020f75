import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { systemCode } from "../base/system-code.ts";
import { type Finding, fails, fine, warns } from "../commands/health.ts";

/** A program on this machine accepts at once. */
const CONNECT_MS = 2_000;

/** Whether the node could take its port for peers. @param isChosen - Somebody gave the number; otherwise any will do. */
export async function examineFreePort(
  host: string,
  port: number,
  isChosen: boolean,
): Promise<Finding> {
  if (port === 0) return fine("port", "The system chooses the port for peers at each start.");
  for (const [kind, take] of [
    ["TCP", takeTcp],
    ["UDP", takeUdp],
  ] as const) {
    const code = await take(host, port);
    if (code === undefined) continue;
    const words = `${kind} port ${port} for peers cannot be taken. ${WHY[code] ?? code}`;
    if (!isChosen && code === "EADDRINUSE") {
      return warns("port", `${words} Any other is taken then.`, "everseed config set engine.port");
    }
    const remedy =
      code === "EADDRNOTAVAIL"
        ? "everseed config set engine.host 0.0.0.0"
        : `ss -lp 'sport = ${port}' shows who has it; or everseed config set engine.port NUMBER`;
    return fails("port", words, remedy);
  }
  return fine("port", `Port ${port} for peers is free, over TCP and UDP.`);
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: "Another program uses it.",
  EACCES: "Ports below 1024 are for root only.",
  EADDRNOTAVAIL: "The address in engine.host is not one of this machine.",
};

/** Whether peers on this machine reach the running node. What the router passes on, the node says itself. */
export async function examineOpenPort(host: string, port: number): Promise<Finding> {
  const at = isAny(host) ? "127.0.0.1" : host;
  const code = await knock(at, port);
  if (code !== undefined) {
    return fails(
      "port",
      `Nobody accepts on TCP port ${port} of this machine (${code}).`,
      "let the firewall pass TCP and UDP to it, also on this machine",
    );
  }
  if ((await takeUdp(host, port)) !== "EADDRINUSE") {
    return warns(
      "port",
      `Peers reach port ${port} over TCP on this machine, but no program has it over UDP: no uTP, no DHT.`,
      "everseed daemon logs says why",
    );
  }
  return fine("port", `Peers reach port ${port} on this machine, over TCP and UDP.`);
}

function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** @returns The system's code when the port cannot be taken. */
function takeTcp(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(systemCode(error) ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function takeUdp(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve) => {
    socket.once("error", (error) => {
      socket.close();
      resolve(systemCode(error) ?? error.message);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.close(() => resolve(undefined));
    });
  });
}

function knock(host: string, port: number): Promise<string | undefined> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(CONNECT_MS) });
  return new Promise((resolve) => {
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve(systemCode(error) ?? "no answer"));
  });
}
