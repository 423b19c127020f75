import type { DatagramNet, HopJudge, MulticastNet } from "../ports/net.ts";
import type { MakeFetch } from "./guarded-fetch.ts";
import type { OpenRangeLine } from "./web-seed-guard.ts";

/** Says why nothing is exchanged with an address; `undefined` for an address that is not kept away. */
export type RefusalOf = (address: string) => string | undefined;

/** Drops the packets from and to addresses that are kept away. Incoming ones are dropped before anybody reads them. */
export function filteredDatagrams(lower: DatagramNet, refusalOf: RefusalOf): DatagramNet {
  return {
    resolve: (host) => lower.resolve(host),
    bind: async (options) => {
      const socket = await lower.bind({
        ...options,
        receive: (bytes, from) => {
          if (refusalOf(from.address) === undefined) options.receive(bytes, from);
        },
      });
      return {
        get local() {
          return socket.local;
        },
        send: (bytes, to) => {
          if (refusalOf(to.address) === undefined) socket.send(bytes, to);
        },
        afterBurst: (fire) => socket.afterBurst(fire),
        bytesMaxTo: (address) => socket.bytesMaxTo?.(address),
        openQueue: (remote) => socket.openQueue?.(remote) ?? (() => undefined),
        close: () => socket.close(),
      };
    },
  };
}

/** Does not hear neighbours that are kept away. What is sent to a group reaches everybody on the link. */
export function filteredMulticast(lower: MulticastNet, refusalOf: RefusalOf): MulticastNet {
  return {
    join: (options) =>
      lower.join({
        ...options,
        receive: (bytes, from) => {
          if (refusalOf(from.address) === undefined) options.receive(bytes, from);
        },
      }),
  };
}

/** Connects to no server that is kept away, redirects included. */
export function filteredFetch(makeFetch: MakeFetch, refusalOf: RefusalOf): MakeFetch {
  return (how) => makeFetch({ ...how, judge: filteredHops(how.judge, refusalOf) });
}

/** Connects to no web seed that is kept away, redirects included. */
export function filteredRangeLines(open: OpenRangeLine, refusalOf: RefusalOf): OpenRangeLine {
  return (judgeHops) => open(() => filteredHops(judgeHops(), refusalOf));
}

/** The addresses that `judge` allows are filtered, so that a filter never makes a farther address stand for a nearer one. */
function filteredHops(judge: HopJudge, refusalOf: RefusalOf): HopJudge {
  return (hop) => {
    const judged = judge(hop);
    if ("refused" in judged) return judged;
    let refused: string | undefined;
    const left = judged.filter((address) => {
      const refusal = refusalOf(address);
      refused ??= refusal;
      return refusal === undefined;
    });
    return left.length > 0 || refused === undefined ? left : { refused };
  };
}
