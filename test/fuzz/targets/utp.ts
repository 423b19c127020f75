import { fromHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { decodePacket, emptyHead } from "../../../src/utp/packet.ts";
import { UtpSocket } from "../../../src/utp/utp-socket.ts";
import type { FuzzTarget } from "../target.ts";

const HEAD = "0064001122330000000000100000";
const PACKETS = [
  fromHex(`4100${HEAD}00010000`)!,
  fromHex(`2100${HEAD}00010001`)!,
  fromHex(`2101${HEAD}000100010004ff000001`)!,
  fromHex(`0100${HEAD}00020001${"61".repeat(40)}`)!,
  fromHex(`0165${HEAD}00020001000201f4${"61".repeat(1200)}`)!,
  fromHex(`1100${HEAD}00030001`)!,
  fromHex(`3100${HEAD}00030001`)!,
];

const codec: FuzzTarget = {
  name: "utp",
  corpus: PACKETS,
  refusals: [],
  run: (input) => {
    const head = emptyHead();
    if (!decodePacket(input, head)) return;
    if (head.payloadStart > input.length) throw new Error("a payload outside the packet");
    if (head.sackStart + head.sackBytes > head.payloadStart) throw new Error("bits outside");
  },
};

const FROM = { address: "11.2.3.4", port: 6881 };

/** A connection that transfers takes the packet, as its peer's: nothing may throw, now or in the next minutes. */
const connection: FuzzTarget = {
  name: "utp-connection",
  corpus: PACKETS,
  refusals: [],
  run: (input) => {
    const simulation = new Simulation();
    let sent = 0;
    const socket = new UtpSocket({
      local: { address: "11.1.1.1", port: 1 },
      clock: simulation,
      // The id of the call is 100, as in the packets; its number is 1.
      random: { ...seededRandom(1), below: numbers(100, 1) },
      send: () => {
        sent += 1;
      },
      soon: (fire) => void simulation.startTimer(0, fire),
    });
    const stream = socket.dial(
      FROM,
      { handleOpen() {}, handleBytes() {}, handleSent() {}, handleClose() {} },
      { timeoutMs: 5000 },
    );
    socket.handleDatagram(PACKETS[1]!, FROM);
    stream.write(new Uint8Array(20_000));
    simulation.runFor(10);
    socket.handleDatagram(input, FROM);
    simulation.runFor(10);
    socket.handleDatagram(PACKETS[3]!, FROM);
    simulation.runFor(200_000);
    if (sent > 200) throw new Error(`${sent} datagrams for one`);
    if (socket.count > 0) throw new Error("a connection that never ends");
  },
};

function numbers(...first: number[]): (bound: number) => number {
  const random = seededRandom(2);
  return (bound) => first.shift() ?? random.below(bound);
}

export const targets: readonly FuzzTarget[] = [codec, connection];
