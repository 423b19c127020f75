import { done, fault } from "./sim-gateway.ts";
import type { HomeGateway } from "./sim-home.ts";

export interface Pinhole {
  readonly client: string;
  readonly port: number;
  /** The number of the transport's protocol. */
  readonly protocol: number;
  endsAtMs: number;
}

const SERVICE = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1";
const CONTROL = "/ctl/IP6FCtl";

/** A router with a firewall for IPv6 that UPnP opens, and nothing else. */
export class SimFirewall implements HomeGateway {
  readonly address = "2a00:77::1";
  readonly pinholes = new Map<number, Pinhole>();
  readonly asked: string[] = [];
  /** The fault of every wish for a pinhole. */
  refuses: number | undefined;
  #lastId = 7;

  /** What it lets in: "2a00:77::2 6 6881". */
  open(now: number): string[] {
    for (const [id, { endsAtMs }] of this.pinholes) if (now >= endsAtMs) this.pinholes.delete(id);
    return [...this.pinholes.values()]
      .map(({ client, protocol, port }) => `${client} ${protocol} ${port}`)
      .toSorted();
  }

  restart(): void {
    this.pinholes.clear();
  }

  answerMapping(): undefined {
    return undefined;
  }

  answerSearch(packet: Buffer): Buffer | undefined {
    const text = packet.toString("latin1");
    const target = /^ST: (.*)\r$/m.exec(text)?.[1];
    if (!/^HOST: \[FF02::C\]:1900\r$/m.test(text) || target !== SERVICE) return undefined;
    return Buffer.from(
      `HTTP/1.1 200 OK\r\nST: ${SERVICE}\r\nUSN: uuid:1::${SERVICE}\r\n` +
        `LOCATION: http://[${this.address}]:5000/rootDesc.xml\r\n\r\n`,
    );
  }

  answerHttp(
    request: { readonly method: string; readonly path: string; readonly body: string },
    now: number,
  ): { status: number; body: string } {
    if (request.method === "GET") {
      const service = (type: string, url: string): string =>
        `<service><serviceType>${type}</serviceType><controlURL>${url}</controlURL></service>`;
      const mapping = service("urn:schemas-upnp-org:service:WANIPConnection:2", "/ctl/IPConn");
      return {
        status: 200,
        body: `<root><device><serviceList>${mapping}${service(SERVICE, CONTROL)}</serviceList></device></root>`,
      };
    }
    if (request.path !== CONTROL) return { status: 404, body: "" };
    const action = /<u:(\w+) /.exec(request.body)?.[1] ?? "";
    this.asked.push(action);
    const number = (name: string): number =>
      Number(new RegExp(`<${name}>([^<]*)</${name}>`).exec(request.body)?.[1]);
    const hole = this.pinholes.get(number("UniqueID"));
    switch (action) {
      case "GetFirewallStatus":
        return done(
          action,
          "<FirewallEnabled>1</FirewallEnabled><InboundPinholeAllowed>1</InboundPinholeAllowed>",
        );
      case "AddPinhole": {
        if (this.refuses !== undefined) return fault(this.refuses, "no");
        this.#lastId += 1;
        this.pinholes.set(this.#lastId, {
          client: /<InternalClient>([^<]*)</.exec(request.body)?.[1] ?? "",
          port: number("InternalPort"),
          protocol: number("Protocol"),
          endsAtMs: now + number("LeaseTime") * 1_000,
        });
        return done(action, `<UniqueID>${this.#lastId}</UniqueID>`);
      }
      case "UpdatePinhole":
        if (!hole) return fault(704, "NoSuchEntry");
        hole.endsAtMs = now + number("NewLeaseTime") * 1_000;
        return done(action, "");
      case "GetPinholePackets":
        return hole
          ? done(action, "<PinholePackets>0</PinholePackets>")
          : fault(704, "NoSuchEntry");
      case "DeletePinhole":
        return this.pinholes.delete(number("UniqueID"))
          ? done(action, "")
          : fault(704, "NoSuchEntry");
      default:
        return fault(401, "Invalid Action");
    }
  }
}
