import type { Log } from "../ports/log.ts";
import type { MulticastGroup, MulticastLinks, MulticastNet } from "../ports/net.ts";
import { LSD_GROUPS } from "./bt-search.ts";
import { Lsd, type LsdOptions } from "./lsd.ts";

export interface LsdServiceOptions extends Omit<LsdOptions, "send"> {
  readonly multicast: MulticastNet;
  readonly links: MulticastLinks;
  readonly log: Log;
}

/** Local service discovery on the links of this machine. */
export class LsdService {
  readonly lsd: Lsd;
  readonly #groups: ReadonlyMap<string, MulticastGroup>;

  private constructor(lsd: Lsd, groups: ReadonlyMap<string, MulticastGroup>) {
    this.lsd = lsd;
    this.#groups = groups;
  }

  /** False when the system refuses multicast. */
  get isHeard(): boolean {
    return this.#groups.size > 0;
  }

  /** Never rejects: a family that the system refuses is left out, and the log says so. */
  static async start(options: LsdServiceOptions): Promise<LsdService> {
    const { multicast, links, log } = options;
    const groups = new Map<string, MulticastGroup>();
    const lsd = new Lsd({
      ...options,
      send: (packet, group) => groups.get(group.address)?.send(packet),
    });
    for (const group of LSD_GROUPS) {
      try {
        const receive = lsd.receive.bind(lsd);
        groups.set(group.address, await multicast.join({ group, links, receive }));
      } catch (error) {
        log.debug("neighbours are not heard at a group", {
          group: group.address,
          cause: String(error),
        });
      }
    }
    if (groups.size === 0) log.warn("no neighbours are looked for: the system refuses multicast");
    return new LsdService(lsd, groups);
  }

  close(): void {
    this.lsd.close();
    for (const group of this.#groups.values()) group.close();
  }
}
