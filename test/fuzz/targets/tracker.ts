import { concatBytes } from "../../../src/base/bytes.ts";
import { sha256 } from "../../../src/base/hash.ts";
import { CompactSwarms } from "../../../src/tracker/compact-swarms.ts";
import { encodeSnapshot, restoreSnapshot } from "../../../src/tracker/snapshot.ts";
import { NO_SWARM, type SwarmCounts } from "../../../src/tracker/swarms.ts";
import { chance, SWARM_LIMITS, trackerWorld } from "../../tracker/tracker-world.ts";
import { Refused, type FuzzTarget } from "../target.ts";

const DIGEST_BYTES = 32;
/** Two of them, so that a mutated count shows. */
const SWARMS_MAX = 2;

function corpus(): Uint8Array[] {
  const world = trackerWorld();
  const empty = encodeSnapshot(world.swarms, 0);
  world.announce(1);
  world.announce(2, "&event=completed", "2001:db8::2");
  world.clock.pass(60);
  world.announce(3, "", "203.0.113.4");
  return [empty, encodeSnapshot(world.swarms, world.clock.wallMs())].map((bytes) =>
    bytes.subarray(0, bytes.length - DIGEST_BYTES),
  );
}

/** The bytes before the digest, which is corrected each time: otherwise no mutant would be decoded. */
const snapshot: FuzzTarget = {
  name: "tracker-snapshot",
  corpus: corpus(),
  refusals: [Refused],
  run: (body) => {
    const swarms = new CompactSwarms({ ...SWARM_LIMITS, random: chance(7), swarmsMax: SWARMS_MAX });
    swarms.setTime(2_000_000);
    const opened: number[] = [];
    const restored = restoreSnapshot(concatBytes([body, sha256(body)]), swarms, {
      wallMs: 1_000_060_000,
      admit: (infohash) => {
        if (infohash.length !== 20) throw new Error("an infohash of another length");
        const swarm = swarms.open([infohash]);
        if (swarm !== NO_SWARM) opened.push(swarm);
        return swarm;
      },
    });
    if (restored === undefined) throw new Refused();
    if (restored !== swarms.peerCount) throw new Error(`${restored} of ${swarms.peerCount} peers`);
    const counts: SwarmCounts = { seeds: 0, leechers: 0, partialSeeds: 0 };
    for (const swarm of opened) {
      swarms.count(swarm, counts);
      const peers = [...swarms.peers(swarm)];
      if (counts.seeds + counts.leechers !== peers.length) throw new Error("wrong counts");
      if (!peers.every(({ idleS }) => idleS >= 0)) throw new Error("seen in the future");
    }
  },
};

export const targets: readonly FuzzTarget[] = [snapshot];
