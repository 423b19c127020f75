/** The byte after the length (BEP 3; BEP 5 for port, BEP 6 for the fast messages, BEP 10, 52). */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

/** Messages that consist of their id only. */
export type SignalId =
  | typeof MESSAGE.choke
  | typeof MESSAGE.unchoke
  | typeof MESSAGE.interested
  | typeof MESSAGE.notInterested
  | typeof MESSAGE.haveAll
  | typeof MESSAGE.haveNone;

/** Bytes of the length prefix. The length does not count the prefix itself. */
export const PREFIX_BYTES = 4;

/** The longest block we serve and accept; we never ask for more than `BLOCK_BYTES`. */
export const BLOCK_BYTES_MAX = 131_072;
