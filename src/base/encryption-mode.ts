/** The choices of people, from the mildest. */
export const ENCRYPTION_MODES = ["prefer", "require", "off"] as const;

/**
 * `prefer`: encrypted where the peer can, plain where it cannot. `require`: everything under RC4, and no peer that cannot.
 * `off`: plain only.
 */
export type EncryptionMode = (typeof ENCRYPTION_MODES)[number];
