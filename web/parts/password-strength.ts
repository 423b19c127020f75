/** How hard a password is to guess, in words; only a hint, because the hub only requires a length. */
export interface Strength {
  /** 0 to 4, for the bar. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly word: string;
}

const common = /^(password|passwort|qwerty|letmein|welcome|admin|everseed|iloveyou|dragon|monkey)/i;
/** Bits of guessing work from which each word holds. */
const fairBits = 45;
const goodBits = 60;
const strongBits = 80;

/** @param charactersMin - The hub refuses shorter passwords. */
export function judgePassword(password: string, charactersMin: number): Strength {
  const characters = [...password];
  if (characters.length === 0) return { level: 0, word: "" };
  if (characters.length < charactersMin) {
    const missing = charactersMin - characters.length;
    return { level: 0, word: `${missing} more ${missing === 1 ? "character" : "characters"}` };
  }
  const bits = guessBits(characters) - (common.test(password) ? 30 : 0);
  if (bits < fairBits) return { level: 1, word: "Weak: easy to guess" };
  if (bits < goodBits) return { level: 2, word: "Fair" };
  return bits < strongBits ? { level: 3, word: "Good" } : { level: 4, word: "Strong" };
}

/** Alphabet size to the power of the number of characters, with little weight for repeats and runs (aaa, 1234). */
function guessBits(characters: readonly string[]): number {
  const text = characters.join("");
  const alphabet =
    (/[a-z]/.test(text) ? 26 : 0) +
    (/[A-Z]/.test(text) ? 26 : 0) +
    (/[0-9]/.test(text) ? 10 : 0) +
    (/[ -/:-@[-`{-~]/.test(text) ? 33 : 0) +
    (/[^ -~]/.test(text) ? 100 : 0);
  let counted = 0;
  let stepBefore: number | undefined;
  for (const [index, character] of characters.entries()) {
    const before = characters[index - 1];
    const step = before === undefined ? undefined : code(character) - code(before);
    const isRun = step !== undefined && step === stepBefore && Math.abs(step) <= 1;
    counted += isRun ? 0.2 : 1;
    stepBefore = step;
  }
  const distinct = new Set(characters).size;
  return Math.min(counted, distinct * 2) * Math.log2(Math.max(alphabet, 2));
}

function code(character: string): number {
  return character.codePointAt(0) ?? 0;
}
