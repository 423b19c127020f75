/** Commander has no long options with one dash. @returns The words as it understands them. */
export function withLongFlags(args: readonly string[]): readonly string[] {
  if (args[0] !== "vtorrent") return args;
  const end = args.indexOf("--");
  return args.map((word, at) =>
    /^-cname(=|$)/.test(word) && (end === -1 || at < end) ? `-${word}` : word,
  );
}
