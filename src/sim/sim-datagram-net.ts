import type { DatagramNet } from "../ports/net.ts";
import type { SimDatagrams } from "./sim-datagrams.ts";
import type { Simulation } from "./simulation.ts";

/**
 * The datagrams of one simulated machine.
 *
 * @param ways - The world, or the router that the machine is behind.
 */
export function simDatagramNet(
  simulation: Simulation,
  ways: Pick<SimDatagrams, "open">,
): DatagramNet {
  return {
    bind: async ({ host, port, receive }) => {
      const local = { address: host, port };
      const socket = ways.open(local, receive);
      return {
        local,
        send: (bytes, to) => socket.send(bytes, to),
        afterBurst: (fire) => void simulation.startTimer(0, fire),
        close: () => socket.close(),
      };
    },
    resolve: async (host) => [host],
  };
}
