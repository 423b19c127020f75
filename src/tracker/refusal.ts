/** A reason to refuse a request. */
export interface Refusal {
  /** The text the client may see. */
  readonly reason: string;
  /**
   * Sent with HTTP status 403 (BDR-4.2.6). Every other refusal has status 200, because clients show
   * people the reason of no other status.
   */
  readonly forbidden?: true;
}

export const NOT_REGISTERED: Refusal = { reason: "this torrent is not registered here" };
export const TRACKER_FULL: Refusal = { reason: "this tracker is full" };
export const SWARM_FULL: Refusal = { reason: "this swarm is full" };
export const ADDRESS_QUOTA: Refusal = { reason: "too many peers from your address" };
/**
 * The same text for a passkey that never existed, was reset, or belongs to a disabled account
 * (TRK-13).
 */
export const UNKNOWN_PASSKEY: Refusal = {
  reason: "this passkey is not known here: sign in on the hub and download the .torrent again",
};
export const UNKNOWN_DEVICE: Refusal = { reason: "this device is not known here", forbidden: true };
