import { readFileSync } from "node:fs";

/** Commands that work only where `node` is Node 26: `node x.ts`, or a program of node_modules/.bin. */
const NEEDS_OUR_NODE =
  /(?<!tools\/run )\bnode (?:--\S+ )*[\w.-]+\/[\w./-]+\.tsx?\b|node_modules\/\.bin\//;

/** @returns A sentence for each line that tells users to run a command which fails under their system's Node. */
export function faultsOfDocument(name: string, text: string): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      NEEDS_OUR_NODE.test(line)
        ? [`${name}:${index + 1}: write npm test, npm run or tools/run, which find our Node.`]
        : [],
    );
}

/** @returns The same for a file. */
export function readDocument(file: string): string[] {
  return faultsOfDocument(file, readFileSync(file, "utf8"));
}
