import type { Random } from "../ports/random.ts";

// Without i, l, o, u: none can be misread, none makes words by chance.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CHARACTERS = 8;

/** A name for links: 40 random bits. Whoever stores it makes sure it is not taken. */
export function randomShortId(random: Random): string {
  let id = "";
  for (let count = 0; count < CHARACTERS; count += 1)
    id += ALPHABET[random.below(ALPHABET.length)]!;
  return id;
}
