import { invariant } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError } from "./command-error.ts";

/** Where to listen, and how the user can choose another place. */
export interface ListenPlan {
  readonly host: string;
  /** In order of preference; at least one. 0 is any free port. */
  readonly ports: readonly number[];
  /** The option or key for another port: `--listen HOST:PORT`. */
  readonly setting: string;
  /** Called when a port is taken and the next one is tried. */
  readonly handleTaken?: (port: number) => void;
}

/**
 * Listens on the first port that is free.
 *
 * @param listen - Rejects with an error that carries the system's `code`.
 * @returns What `listen` returned.
 * @throws {CommandError} (rejects) `port-taken` when all are taken; at once `not-allowed`, or `not-found` for an address
 *   of another machine: another port would not help.
 */
export async function listenOnFirst<Listening>(
  { host, ports, setting, handleTaken }: ListenPlan,
  listen: (address: { readonly host: string; readonly port: number }) => Promise<Listening>,
): Promise<Listening> {
  let trouble: CommandError | undefined;
  for (const [at, port] of ports.entries()) {
    if (at > 0) handleTaken?.(ports[at - 1]!);
    try {
      return await listen({ host, port });
    } catch (error) {
      trouble = listenTrouble(error, { host, port, setting });
      if (trouble.code !== "port-taken") break;
    }
  }
  invariant(trouble, "there is a port to try");
  throw trouble;
}

/** Explains why a port cannot be used. */
export function listenTrouble(
  failure: unknown,
  address: {
    readonly host: string;
    readonly port: number;
    /** The option or key for another port: `--listen HOST:PORT`. */
    readonly setting: string;
  },
): CommandError {
  const { host, port, setting } = address;
  switch (systemCode(failure)) {
    case "EADDRINUSE":
      return new CommandError("port-taken", `Port ${port} is in use by another program.`, {
        hint: `another port with ${setting}, or stop that program.`,
        cause: failure,
      });
    case "EACCES":
      return new CommandError("not-allowed", `Port ${port} is reserved by the system.`, {
        hint: `a port above 1023 with ${setting}.`,
        cause: failure,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new CommandError("not-found", `${host} is not an address of this machine.`, {
        hint: "127.0.0.1 for this machine only, 0.0.0.0 for everybody.",
        cause: failure,
      });
    default:
      return new CommandError(
        "unreachable",
        `Cannot listen on ${host} port ${port}. ${failure instanceof Error ? failure.message : String(failure)}.`,
        { cause: failure },
      );
  }
}
