import type { Random } from "../ports/random.ts";

// Without i, l, o and u: no character can be misread, and no words appear by chance.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CHARACTERS = 8;

/** A name for links: 40 random bits. The caller must make sure that it is not taken. */
export function randomShortId(random: Random): string {
  let id = "";
  for (let count = 0; count < CHARACTERS; count += 1)
    id += ALPHABET[random.below(ALPHABET.length)]!;
  return id;
}
