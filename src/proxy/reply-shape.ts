/** Bytes at the end of every answer in the DHT: keys are sorted, and `y` is the last (BEP 5). */
const KRPC_REPLY_END = "1:y1:re";
/** The first bytes of an answer of a UDP tracker: an action from 0 to 3 (BEP 15). */
const TRACKER_REPLY_BYTES_MIN = 8;

/** @returns Whether a datagram answers something: one of a UDP tracker, or of a node of the DHT. */
export function isReply(bytes: Uint8Array): boolean {
  if (bytes.length < TRACKER_REPLY_BYTES_MIN) return false;
  if (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0) return bytes[3]! <= 3;
  const start = bytes.length - KRPC_REPLY_END.length;
  for (let i = 0; i < KRPC_REPLY_END.length; i += 1) {
    if (bytes[start + i] !== KRPC_REPLY_END.charCodeAt(i)) return false;
  }
  return true;
}
