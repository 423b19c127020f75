/** The description of a key, for the template file and for error messages. */
export interface KeyNote {
  /** What the key decides. */
  readonly says: string;
  /** The values that it takes. */
  readonly takes: string;
}

/** A description in the shape of a schema's `meta`. */
export function note(says: string, takes: string): KeyNote & Record<string, unknown> {
  return { says, takes };
}
