import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import type { NameStandIns } from "./name-stand-ins.ts";
import { ProxyError } from "./proxy-error.ts";

/** Behind a proxy that carries no datagrams there are none (WIR-27). Names get their stand-ins all the same. */
export class NoDatagrams implements DatagramNet {
  readonly #names: NameStandIns;

  constructor(names: NameStandIns) {
    this.#names = names;
  }

  async bind(): Promise<DatagramSocket> {
    throw new ProxyError("refused", "the proxy carries no datagrams, and none goes around it");
  }

  async resolve(host: string): Promise<readonly string[]> {
    return [this.#names.of(host)];
  }
}
