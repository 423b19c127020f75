/** The choices of people. */
export const TRANSPORT_MODES = ["both", "tcp", "utp"] as const;

/** What streams to peers go over. `both`: both are tried at the same time, and TCP is used when both open together. */
export type TransportMode = (typeof TRANSPORT_MODES)[number];
