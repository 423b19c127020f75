import { globSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * Finds members of classes and interfaces whose names occur only in declarations: nothing can use them. knip does the
 * same for exports, but not for members.
 *
 *   tools/run node tools/dead-members.ts
 */

/** Code outside this repository uses these names. */
const ASKED_FROM_OUTSIDE: ReadonlySet<string> = new Set([
  // JSON.stringify.
  "toJSON",
  // The type of an environment in hono.
  "Bindings",
  // The store of @tus/server.
  "getUpload",
]);

const DECLARED =
  /^ {2}(?:(?:static|async|override|readonly|get|set|declare|abstract) )*\*?([A-Za-z_]\w*)(?:<[^(]*>)?\??!?\s*[(:=;]/;
const OPENS = /^(?:export )?(?:abstract )?(?:class|interface) (\w+)/;
/** Keywords that begin a statement and look like the name of a method. */
const STATEMENTS: ReadonlySet<string> = new Set(["constructor", "if", "for", "while", "switch"]);

export interface Member {
  readonly file: string;
  /** `Session.listen`. */
  readonly name: string;
}

/** @param sources - Text by file; they include tests, because a member that a test reads is used. */
export function deadMembers(sources: ReadonlyMap<string, string>): Member[] {
  const members: (Member & { readonly word: string })[] = [];
  const declared = new Map<string, number>();
  const seen = new Map<string, number>();
  for (const [file, text] of sources) {
    for (const [word] of withoutComments(text).matchAll(/[A-Za-z_$][\w$]*/g)) add(seen, word);
    for (const member of membersOf(file, text)) {
      members.push(member);
      add(declared, member.word);
    }
  }
  return members
    .filter(({ word }) => !ASKED_FROM_OUTSIDE.has(word) && seen.get(word) === declared.get(word))
    .map(({ file, name }) => ({ file, name }));
}

function* membersOf(file: string, text: string): Generator<Member & { readonly word: string }> {
  let owner: string | undefined;
  for (const line of withoutComments(text).split("\n")) {
    const opened = OPENS.exec(line)?.[1];
    if (opened !== undefined) owner = opened;
    else if (line.startsWith("}")) owner = undefined;
    const word = owner === undefined ? undefined : DECLARED.exec(line)?.[1];
    if (word !== undefined && !STATEMENTS.has(word)) yield { file, word, name: `${owner}.${word}` };
  }
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function add(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** @returns The text of each of our files. */
export function readSources(repository: string): Map<string, string> {
  const files = globSync("{src,web,test,bench,tools}/**/*.{ts,tsx}", {
    cwd: repository,
    exclude: ["**/node_modules/**", "web/dist/**"],
  });
  return new Map(files.map((file) => [file, readFileSync(path.join(repository, file), "utf8")]));
}

if (import.meta.main) {
  for (const { file, name } of deadMembers(readSources(path.resolve(import.meta.dirname, ".."))))
    console.log(`${file}: ${name}`);
}
