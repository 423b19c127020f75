import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../base/errors.ts";
import { tcpAddress } from "../base/peer-address.ts";
import type { ContentSource, OpenContent } from "../ports/content.ts";
import type { StreamConnection, StreamHandler } from "../ports/net.ts";
import { type CallingPorts, guardOutcomes } from "./outcome-guard.ts";
import { SimNet } from "./sim-net.ts";
import { SimSwarm } from "./sim-swarm.ts";
import { Simulation } from "./simulation.ts";

const LINK = { upBytesPerSecond: 1e6, downBytesPerSecond: 1e6, latencyMs: 1 };
const REMOTE = tcpAddress({ address: "10.0.0.2", port: 1 });
const DEAF: StreamHandler = {
  handleOpen: () => undefined,
  handleBytes: () => undefined,
  handleSent: () => undefined,
  handleClose: () => undefined,
};

function world() {
  const simulation = new Simulation();
  const host = new SimNet({ simulation }).createHost("10.0.0.1", LINK);
  const transports = [host.transport("tcp")];
  const content = { open: () => assert.fail("nothing is opened") } as ContentSource;
  return { simulation, ports: { clock: simulation, transports, content } };
}

test("a port that calls back inside a call is noticed, whatever it was given", () => {
  const { simulation, ports } = world();
  const early: Record<string, (handler: StreamHandler) => void> = {
    open: (handler) => handler.handleOpen(),
    bytes: (handler) => handler.handleBytes(new Uint8Array(1), 1),
    sent: (handler) => handler.handleSent(1),
    close: (handler) => handler.handleClose(undefined),
  };
  for (const act of Object.values(early)) {
    const { transports } = guardOutcomes<CallingPorts>({
      ...ports,
      transports: [
        {
          kind: "tcp",
          listen: () => assert.fail("nobody listens"),
          dial: (_remote, handler) => {
            act(handler);
            return {} as StreamConnection;
          },
        },
      ],
    });
    assert.throws(() => transports[0]!.dial(REMOTE, DEAF, { timeoutMs: 1 }), InvariantError);
  }
  const atOnce = guardOutcomes<CallingPorts>({
    ...ports,
    clock: {
      nowMs: () => 1,
      wallMs: () => 1,
      startTimer: (_delayMs, fire) => {
        fire();
        return { cancel: () => undefined };
      },
    },
  });
  assert.throws(() => atOnce.clock.startTimer(1, () => undefined), InvariantError);
  simulation.runFor(1_000);
});

test("an outcome inside another call is noticed as well; one that comes later is not", () => {
  const { simulation, ports } = world();
  const { transports, clock } = guardOutcomes(ports);
  let closed = 0;
  const stream = transports[0]!.dial(
    REMOTE,
    { ...DEAF, handleClose: () => (closed += 1) },
    { timeoutMs: 5 },
  );
  simulation.runFor(10);
  assert.equal(closed, 1);
  let late: () => void = () => undefined;
  const parts = {
    sync: (onDone: () => void) => (late = onDone),
    read: () => late(),
    check: ({ onDone }: { onDone: () => void }) => onDone(),
  };
  const content = { open: () => ({ bytes: parts, judge: parts }) as unknown as OpenContent };
  const { bytes, judge } = guardOutcomes<CallingPorts>({ ...ports, content }).content.open(
    {} as never,
  );
  bytes.sync(() => undefined);
  assert.throws(() => bytes.read({ view: new Uint8Array(1) }, [], () => undefined), InvariantError);
  assert.throws(() => judge.check({ onDone: () => undefined } as never), InvariantError);
  late();
  clock.startTimer(1, () => stream.destroy());
  simulation.runFor(10);
});

test("a simulated machine whose disk answers at once fails", async () => {
  const swarm = new SimSwarm({ seed: 1, size: 64 * 1024 });
  const node = await swarm.join();
  const open = node.disk.open.bind(node.disk);
  node.disk.open = (layout) => {
    const content = open(layout);
    const { watch } = content;
    assert.ok(watch);
    return { ...content, watch: { ...watch, stamp: (onDone) => onDone([]) } };
  };
  assert.throws(() => {
    node.leech(swarm.made);
    swarm.simulation.runFor(1_000);
  }, InvariantError);
});
