import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { OutsideFault, OutsideFaults } from "../ports/outside-faults.ts";

/** First byte of a TLS handshake. */
const TLS_HANDSHAKE = 0x16;

/** The status to send for a parser error code; any other code is a bad request. */
const STATUS: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

interface ClientError extends Error {
  readonly code?: string;
  /** The parts a parser can be reading. */
  readonly rawPacket?: Uint8Array;
}

/**
 * Answers input that is not HTTP, ends its connection and counts it. While another answer is being
 * sent the connection ends without a text, which the client would take for part of that answer.
 */
export function answerBrokenHttp(server: Server, faults: OutsideFaults): void {
  const lastAnswers = new WeakMap<Duplex, ServerResponse>();
  server.on("request", (incoming, outgoing) => lastAnswers.set(incoming.socket, outgoing));
  server.on("clientError", (error: ClientError, socket) => {
    const { code = "" } = error;
    const address = "remoteAddress" in socket ? socket.remoteAddress : undefined;
    faults.count(faultOf(error), { address, code });
    if (socket.writable && !isAnswering(lastAnswers.get(socket))) {
      socket.write(
        `HTTP/1.1 ${STATUS.get(code) ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`,
      );
    }
    socket.destroy();
  });
}

/**
 * @param last - The newest answer of the connection; it has no socket while it waits for an earlier
 * one.
 */
function isAnswering(last: ServerResponse | undefined): boolean {
  if (!last || last.writableFinished) return false;
  return last.socket === null || last.headersSent;
}

function faultOf({ code, rawPacket }: ClientError): OutsideFault {
  if (rawPacket?.[0] === TLS_HANDSHAKE) return "tls-on-http";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "slow-request";
  return code?.startsWith("HPE_") === true ? "broken-http" : "cut-request";
}
