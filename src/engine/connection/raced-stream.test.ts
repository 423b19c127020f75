import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { StreamConnection, StreamHandler } from "../../ports/net.ts";
import { Simulation } from "../../sim/simulation.ts";
import { RacedStream } from "./raced-stream.ts";

const ENDPOINT = { address: "10.0.0.2", port: 6881 };

/** One way, of which the test decides what becomes of it. */
class Way implements StreamConnection {
  readonly remote: PeerAddress;
  readonly local = undefined;
  readonly bufferedBytes = 7;
  readonly log: string[];
  handler: StreamHandler | undefined;

  constructor(kind: "tcp" | "utp", log: string[]) {
    this.remote = { kind, endpoint: ENDPOINT };
    this.log = log;
  }

  unackedBytes(): undefined {
    return undefined;
  }

  write(bytes: Uint8Array): void {
    this.log.push(`${this.remote.kind} writes ${bytes.length}`);
  }

  pauseReading(): void {
    this.log.push(`${this.remote.kind} pauses`);
  }

  resumeReading(): void {
    this.log.push(`${this.remote.kind} resumes`);
  }

  get datagramBytesMax(): number | undefined {
    return this.remote.kind === "utp" ? 8972 : undefined;
  }

  allowDatagrams(bytesMax: number): void {
    this.log.push(`${this.remote.kind} may send ${bytesMax}`);
  }

  destroy(): void {
    this.log.push(`${this.remote.kind} is given up`);
  }
}

class Race {
  readonly log: string[] = [];
  readonly simulation = new Simulation();
  readonly tcp = new Way("tcp", this.log);
  readonly utp = new Way("utp", this.log);
  readonly stream = new RacedStream(
    [this.tcp, this.utp].map((way) => (handler: StreamHandler) => {
      way.handler = handler;
      return way;
    }),
    {
      handleOpen: () => this.log.push("open"),
      handleBytes: (_chunk, length) => this.log.push(`read ${length}`),
      handleSent: (bytes) => this.log.push(`sent ${bytes}`),
      handleClose: (failure) => this.log.push(`closed ${failure?.code}`),
    },
    this.simulation,
  );

  take(): string[] {
    return this.log.splice(0);
  }
}

function failure(code: string): { code: string; message: string } {
  return { code, message: code };
}

test("both ways are tried at once, the first that opens wins, and the other is given up", () => {
  const race = new Race();
  assert.ok(race.tcp.handler && race.utp.handler);
  assert.equal(race.stream.remote.kind, "tcp", "until one has won");
  race.utp.handler.handleOpen();
  assert.deepEqual(race.take(), [], "TCP may still come");
  race.simulation.runFor(30);
  assert.deepEqual(race.take(), ["tcp is given up", "open"]);
  assert.equal(race.stream.remote.kind, "utp");
  race.stream.write(new Uint8Array(3));
  race.utp.handler.handleBytes(new Uint8Array(9), 4);
  race.utp.handler.handleSent(3);
  assert.deepEqual(race.take(), ["utp writes 3", "read 4", "sent 3"]);
  assert.equal(race.stream.bufferedBytes, 7);
  race.utp.handler.handleClose(undefined);
  assert.deepEqual(race.take(), ["closed undefined"]);
});

test("one way that fails is not the end; that is when all have failed", () => {
  const race = new Race();
  race.tcp.handler!.handleClose(failure("ECONNREFUSED"));
  assert.deepEqual(race.take(), []);
  race.utp.handler!.handleClose(failure("ETIMEDOUT"));
  assert.deepEqual(race.take(), ["closed ETIMEDOUT"]);
});

test("what was asked for before one has opened is done by the winner", () => {
  const race = new Race();
  race.stream.pauseReading();
  race.stream.write(new Uint8Array(5));
  assert.equal(race.stream.bufferedBytes, 5);
  assert.deepEqual(race.take(), []);
  race.tcp.handler!.handleOpen();
  assert.deepEqual(race.take(), ["utp is given up", "tcp pauses", "tcp writes 5", "open"]);
  race.stream.resumeReading();
  assert.deepEqual(race.take(), ["tcp resumes"]);
});

test("what datagrams may hold is a matter of the winner", () => {
  const race = new Race();
  assert.equal(race.stream.datagramBytesMax, undefined);
  race.tcp.handler!.handleClose(failure("ECONNREFUSED"));
  race.utp.handler!.handleOpen();
  race.take();
  assert.equal(race.stream.datagramBytesMax, 8972);
  race.stream.allowDatagrams(5000);
  assert.deepEqual(race.take(), ["utp may send 5000"]);
});

test("a race that is given up gives up all its ways, once", () => {
  const race = new Race();
  race.stream.destroy();
  race.stream.destroy();
  assert.deepEqual(race.take(), ["tcp is given up", "utp is given up"]);
  race.stream.write(new Uint8Array(5));
  assert.equal(race.stream.bufferedBytes, 0);
});

test("the way that was named first wins when both open together", () => {
  const race = new Race();
  race.utp.handler!.handleOpen();
  race.simulation.runFor(20);
  race.tcp.handler!.handleOpen();
  assert.deepEqual(race.take(), ["utp is given up", "open"]);
  race.simulation.runFor(1000);
  assert.deepEqual(race.take(), []);
  assert.equal(race.stream.remote.kind, "tcp");
});

test("the second way waits for a first that has failed no longer, and one that speaks is the connection", () => {
  const refused = new Race();
  refused.utp.handler!.handleOpen();
  refused.tcp.handler!.handleClose(failure("ECONNREFUSED"));
  assert.deepEqual(refused.take(), ["open"]);
  assert.equal(refused.stream.remote.kind, "utp");
  const late = new Race();
  late.tcp.handler!.handleClose(failure("ECONNREFUSED"));
  late.utp.handler!.handleOpen();
  assert.deepEqual(late.take(), ["open"]);
  const spoken = new Race();
  spoken.utp.handler!.handleOpen();
  spoken.utp.handler!.handleBytes(new Uint8Array(9), 4);
  assert.deepEqual(spoken.take(), ["tcp is given up", "open", "read 4"]);
});

test("a way that opened and closed before its head start was over leaves the race to the other", () => {
  const race = new Race();
  race.utp.handler!.handleOpen();
  race.utp.handler!.handleClose(failure("ECONNRESET"));
  race.simulation.runFor(1000);
  assert.deepEqual(race.take(), []);
  race.tcp.handler!.handleOpen();
  assert.deepEqual(race.take(), ["open"]);
});

test("a race that is given up while a way is held opens nothing later", () => {
  const race = new Race();
  race.utp.handler!.handleOpen();
  race.stream.destroy();
  race.take();
  race.simulation.runFor(1000);
  assert.deepEqual(race.take(), []);
});
