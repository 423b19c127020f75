/** What a tracker does not take from somebody. */
export interface Refusal {
  /** In words that they may be told. */
  readonly reason: string;
  /**
   * Over HTTP it is told as status 403 (BDR-4.2.6). All others are told as status 200, since programs show people the
   * reason of nothing else.
   */
  readonly forbidden?: true;
}

export const NOT_REGISTERED: Refusal = { reason: "this torrent is not registered here" };
export const TRACKER_FULL: Refusal = { reason: "this tracker is full" };
export const SWARM_FULL: Refusal = { reason: "this swarm is full" };
export const ADDRESS_QUOTA: Refusal = { reason: "too many peers from your address" };
/** The same for a passkey that never was, was reset, or belongs to an account that was disabled (TRK-13). */
export const UNKNOWN_PASSKEY: Refusal = {
  reason: "this passkey is not known here: sign in on the hub and download the .torrent again",
};
export const UNKNOWN_DEVICE: Refusal = { reason: "this device is not known here", forbidden: true };
