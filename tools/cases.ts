/** Families of ids of cases and requirements. Other words of the same form, such as SHA-256, are not ids. */
const ID =
  /\b(?:BDR|BEN|BTFS|CLI|DHT|FTP|HUB|LAN|MET|NIN|PUB|STO|SYN|TRK|VT|WIR|WSD)-\d+(?:\.\d+)*\b/g;

/** @returns The ids that a text names, each once. */
export function idsIn(text: string): ReadonlySet<string> {
  return new Set(text.match(ID));
}

/** @returns The house rules that a text names, by number. */
export function houseRulesIn(text: string): ReadonlySet<number> {
  return new Set(Array.from(text.matchAll(/\bhouse rule (\d+)/gi), ([, number]) => Number(number)));
}

/** @returns The house rules that have a line in `docs/CASES.md`, in its order. */
export function houseRulesOfList(text: string): readonly number[] {
  return Array.from(text.matchAll(/^- \*\*house rule (\d+)\*\* \S/gm), ([, n]) => Number(n));
}

/** @returns The ids that have a line in `docs/CASES.md`, in its order. */
export function idsOfList(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => /^- \*\*(\S+)\*\* \S/.exec(line)?.[1] ?? []);
}
