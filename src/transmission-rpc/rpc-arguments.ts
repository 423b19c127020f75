import { RpcError } from "./rpc-error.ts";

/**
 * The arguments of a request. Reading one of another type refuses the request: a program that sends it would otherwise
 * believe that something was done. Booleans may be 0 and 1, as old programs send them.
 */
export class RpcArguments {
  readonly #given: Readonly<Record<string, unknown>>;

  constructor(given: Readonly<Record<string, unknown>>) {
    this.#given = given;
  }

  get keys(): string[] {
    return Object.keys(this.#given);
  }

  /** `null` counts as absent. */
  value(key: string): unknown {
    return Object.hasOwn(this.#given, key) ? (this.#given[key] ?? undefined) : undefined;
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "boolean") return value;
    if (value === 0 || value === 1) return value === 1;
    throw wrong(key, "true or false");
  }

  /** @param max - Inclusive. */
  integer(key: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.number(key, min, max);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    throw wrong(key, "a whole number");
  }

  number(key: string, min: number, max: number): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw wrong(key, `a number from ${min} to ${max}`);
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "string") return value;
    throw wrong(key, "text");
  }

  integers(key: string): readonly number[] | undefined {
    return this.#list(key, "a list of whole numbers", Number.isSafeInteger) as
      | readonly number[]
      | undefined;
  }

  texts(key: string): readonly string[] | undefined {
    return this.#list(key, "a list of texts", (item) => typeof item === "string") as
      | readonly string[]
      | undefined;
  }

  list(key: string): readonly unknown[] | undefined {
    return this.#list(key, "a list", () => true);
  }

  #list(
    key: string,
    takes: string,
    isItem: (item: unknown) => boolean,
  ): readonly unknown[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const list: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
    if (list?.every(isItem) === true) return list;
    throw wrong(key, takes);
  }
}

function wrong(key: string, takes: string): RpcError {
  return new RpcError("bad-request", `"${key}" takes ${takes}.`);
}
