import { readFileSync } from "node:fs";
import { Script, constants } from "node:vm";
import { readCode, releaseCode } from "./code-file.ts";

/** The exports of a chunk, or of a module of Node. */
type Exports = Record<string, unknown>;

type ChunkFunction = (
  exports: Exports,
  require: (id: string) => unknown,
  module: { exports: Exports },
  filename: string,
  folder: string,
) => void;

/**
 * Modules of Node that take milliseconds to load, and their exports. The build writes the list: bundled code uses no
 * export that the building Node did not have.
 */
declare const DEFERRED_BUILTINS: Readonly<Record<string, readonly string[]>>;
const deferredBuiltins = DEFERRED_BUILTINS;

/**
 * Loads the chunks of the bundle, which are CommonJS, each with the code that V8 compiled when the bundle was built.
 * Without that code, or with the code of another Node, V8 compiles a chunk like any other file.
 */
export class ChunkLoader {
  readonly folder: string;
  readonly scripts = new Map<string, Script>();
  readonly #loaded = new Map<string, { exports: Exports }>();
  readonly #builtins = new Map<string, unknown>();

  constructor(folder: string) {
    this.folder = folder;
  }

  load(name: string): Exports {
    const known = this.#loaded.get(name);
    if (known !== undefined) return known.exports;
    const filename = `${this.folder}/${name}`;
    const code = readCode(filename);
    const script = new Script(readFileSync(filename, "utf8"), {
      filename,
      cachedData: code,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    if (code !== undefined) releaseCode(code);
    this.scripts.set(filename, script);
    const module = { exports: {} };
    this.#loaded.set(name, module);
    // Every chunk is one function; the build wraps it this way.
    const run = script.runInThisContext() as ChunkFunction;
    run.call(module.exports, module.exports, this.#require, module, filename, this.folder);
    return module.exports;
  }

  readonly #require = (id: string): unknown => {
    if (id.startsWith("./")) return this.load(id.slice(2));
    let found = this.#builtins.get(id);
    if (found === undefined) {
      const names = deferredBuiltins[id.replace(/^node:/, "")];
      found = names === undefined ? loadBuiltin(id) : defer(id, names);
      this.#builtins.set(id, found);
    }
    return found;
  };
}

function loadBuiltin(id: string): unknown {
  const found = process.getBuiltinModule(id) as unknown;
  if (found !== undefined) return found;
  // The message and code of Node; packages try optional modules and check the code.
  const error = new Error(`Cannot find module '${id}'`);
  throw Object.assign(error, { code: "MODULE_NOT_FOUND" });
}

/** An object with the exports of a module of Node, which is loaded on the first access to one of them. */
function defer(id: string, names: readonly string[]): Exports {
  let real: Exports | undefined;
  const deferred: Exports = {};
  for (const name of names) {
    Object.defineProperty(deferred, name, {
      enumerable: true,
      configurable: true,
      get: () => (real ??= loadBuiltin(id) as Exports)[name],
    });
  }
  return deferred;
}
