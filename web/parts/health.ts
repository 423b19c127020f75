import type { SwarmFigures } from "../../src/api/torrents.ts";
import { plural } from "./format.ts";
import type { Mood } from "./words.tsx";

/** The state of a swarm: one word for lists, one sentence for the torrent's own page. */
export interface Health {
  readonly mood: Mood;
  readonly word: string;
  readonly sentence: string;
}

/** The everseed counts as a seed, so one seed means that nobody else has all of it. */
export function judgeHealth(swarm: SwarmFigures): Health {
  const others = swarm.seeds - 1;
  if (swarm.fault !== null) {
    const rest =
      others > 0
        ? `${plural(others, "other")} ${others === 1 ? "has" : "have"} all of it.`
        : "Nobody else has all of it: whoever has, please seed.";
    return { mood: "bad", word: "Damaged here", sentence: `${swarm.fault} ${rest}` };
  }
  if (swarm.seeds <= 0) {
    return {
      mood: "bad",
      word: "No seeds",
      sentence:
        "Nobody offers all of it at the moment, not even this hub. The direct download may still work.",
    };
  }
  if (others === 0) {
    return {
      mood: "warn",
      word: "Only here",
      sentence:
        "Only the everseed has all of it: a download may start slowly, but it is always there.",
    };
  }
  return {
    mood: "good",
    word: "Healthy",
    sentence: `The everseed and ${plural(others, "other")} have all of it.`,
  };
}
