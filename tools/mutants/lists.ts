import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { testFiles } from "../test-files.ts";
import { mutate, type Mutant } from "./mutant.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");

/** All mutants of `lists/`. */
export async function readLists(): Promise<readonly Mutant[]> {
  const files = globSync("lists/*.ts", { cwd: import.meta.dirname }).toSorted();
  const modules = await Promise.all(
    files.map(
      async (file) =>
        (await import(join(import.meta.dirname, file))) as { readonly mutants: readonly Mutant[] },
    ),
  );
  return modules.flatMap(({ mutants }) => mutants);
}

/**
 * The mutants that no longer fit the code: those whose text is gone or not unique, that name no test, or that share a
 * name.
 *
 * @returns One line for each fault.
 */
export function faultsOf(mutants: readonly Mutant[]): readonly string[] {
  const names = new Set<string>();
  return mutants.flatMap((mutant) => {
    const faults = [...faultsOfText(mutant), ...faultsOfTests(mutant)];
    if (names.has(mutant.name)) faults.push(`${mutant.name}: another mutant has this name`);
    names.add(mutant.name);
    return faults;
  });
}

function faultsOfText(mutant: Mutant): string[] {
  const path = join(REPOSITORY, mutant.file);
  if (!existsSync(path)) return [`${mutant.name}: there is no ${mutant.file}`];
  try {
    mutate(mutant, readFileSync(path, "utf8"));
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function faultsOfTests({ name, tests }: Mutant): string[] {
  if (tests.length === 0) return [`${name}: it names no test`];
  return tests
    .filter((filter) => testFiles("own", [filter]).length === 0)
    .map((filter) => `${name}: no test file matches ${filter}`);
}
