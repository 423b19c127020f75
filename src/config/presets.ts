import type { ConfigInput } from "./config.ts";

/** What the defaults are made for: a person's node, or a hub for many. Each is the same program. */
export type Preset = "node" | "hub";

/** Where the defaults of a preset differ from those of `configSchema`, which are a hub's. */
export const PRESETS: Readonly<Record<Preset, ConfigInput>> = {
  hub: {},
  node: {
    // A person starts it to exchange with others; the web site of a hub begins on this machine only.
    engine: { host: "0.0.0.0" },
    services: { site: false, tracker: false },
  },
};
