/** A router for tests. It reads and writes bytes by itself, so that no mistake of ours hides behind one of its own. */

export type Spoken = "pcp" | "natpmp" | "upnp";

export interface GatewayOptions {
  readonly speaks: readonly Spoken[];
  /** Its own address outside. */
  readonly outer?: string;
  readonly address?: string;
  readonly httpPort?: number;
  /** UPnP: version of the service; 2 has AddAnyPortMapping. */
  readonly version?: 1 | 2;
  /** UPnP: grants permanent mappings only, and says so with this code. */
  readonly permanentOnly?: 725 | 402;
  /** Refuses every mapping: the result of NAT-PMP and PCP, and the fault of UPnP. */
  readonly refuses?: { readonly result: number; readonly fault: number };
  /** Numbers outside that belong to others: "tcp 6881". */
  readonly taken?: readonly string[];
  /** Lifetime that it claims, whatever was asked. */
  readonly lifetime?: number;
}

export interface Entry {
  readonly by: Spoken;
  readonly client: string;
  readonly innerPort: number;
  /** Seconds asked for; 0 is for ever. */
  readonly lifetime: number;
  readonly endsAtMs: number;
  readonly nonce: string;
}

type Transport = "tcp" | "udp";

const CONTROL = "/ctl/IPConn";
const BASE = 49_152;

export class SimGateway {
  readonly table = new Map<string, Entry>();
  readonly options: GatewayOptions;
  outer: string;
  #startedMs = 0;
  /** Requests by protocol and name. */
  readonly asked: string[] = [];

  constructor(options: GatewayOptions) {
    this.options = options;
    this.outer = options.outer ?? "9.1.2.3";
    for (const key of options.taken ?? []) {
      this.table.set(key, {
        by: "upnp",
        client: "192.168.1.99",
        innerPort: 1,
        lifetime: 0,
        endsAtMs: Number.POSITIVE_INFINITY,
        nonce: "",
      });
    }
  }

  get address(): string {
    return this.options.address ?? "192.168.1.1";
  }

  /** Forgets everything. */
  restart(now: number): void {
    this.table.clear();
    this.#startedMs = now;
  }

  /** What it passes on to a client: "tcp 6881 -> 6881 upnp". */
  mappingsOf(client: string): string[] {
    return [...this.table]
      .filter(([, entry]) => entry.client === client)
      .map(([key, entry]) => `${key} -> ${entry.innerPort} ${entry.by}`)
      .toSorted();
  }

  expire(now: number): void {
    for (const [key, { endsAtMs }] of this.table) if (now >= endsAtMs) this.table.delete(key);
  }

  #epoch(now: number): number {
    return Math.floor((now - this.#startedMs) / 1_000);
  }

  #speaks(what: Spoken): boolean {
    return this.options.speaks.includes(what);
  }

  // ---- UDP port 5351 -----------------------------------------------------------------------------

  answerMapping(packet: Buffer, from: string, now: number): Buffer | undefined {
    this.expire(now);
    if (packet[0] === 0)
      return this.#speaks("natpmp") ? this.#natPmp(packet, from, now) : undefined;
    if (this.#speaks("pcp")) return this.#pcp(packet, from, now);
    // Version 0, result 1: "I speak NAT-PMP" (RFC 6887, appendix A).
    if (!this.#speaks("natpmp")) return undefined;
    const reply = Buffer.alloc(8);
    reply[1] = 128 + packet[1]!;
    reply.writeUInt16BE(1, 2);
    reply.writeUInt32BE(this.#epoch(now), 4);
    return reply;
  }

  /** The packet of RFC 6886, 3.2.1, which it sends to everybody. */
  announcement(now: number): Buffer {
    const reply = Buffer.alloc(12);
    reply[1] = 128;
    reply.writeUInt32BE(this.#epoch(now), 4);
    reply.set(this.outer.split(".").map(Number), 8);
    return reply;
  }

  #natPmp(packet: Buffer, from: string, now: number): Buffer {
    const op = packet[1]!;
    this.asked.push(`natpmp ${op}`);
    if (op === 0) return this.announcement(now);
    const transport = op === 1 ? "udp" : "tcp";
    const innerPort = packet.readUInt16BE(4);
    const lifetime = packet.readUInt32BE(8);
    const reply = Buffer.alloc(16);
    reply[1] = 128 + op;
    reply.writeUInt32BE(this.#epoch(now), 4);
    reply.writeUInt16BE(innerPort, 8);
    const { refuses } = this.options;
    if (refuses) {
      reply.writeUInt16BE(refuses.result, 2);
      return reply.subarray(0, 8);
    }
    if (lifetime === 0) {
      this.#drop(transport, { by: "natpmp", client: from, innerPort, nonce: "" });
      return reply;
    }
    const outerPort = this.#grant(transport, {
      by: "natpmp",
      client: from,
      innerPort,
      lifetime,
      nonce: "",
      wish: packet.readUInt16BE(6),
      now,
    });
    reply.writeUInt16BE(outerPort, 10);
    reply.writeUInt32BE(this.options.lifetime ?? lifetime, 12);
    return reply;
  }

  #pcp(packet: Buffer, from: string, now: number): Buffer {
    const op = packet[1]!;
    this.asked.push(`pcp ${op}`);
    const reply = Buffer.from(packet);
    reply[1] = 128 + op;
    reply.fill(0, 2, 4);
    reply.fill(0, 12, 24);
    reply.writeUInt32BE(this.#epoch(now), 8);
    if (op !== 1) return reply;
    const client = packet.subarray(8, 24);
    if (!client.subarray(12).equals(Buffer.from(from.split(".").map(Number)))) {
      reply[3] = 12;
      return reply;
    }
    const { refuses } = this.options;
    if (refuses) {
      reply[3] = refuses.result;
      return reply;
    }
    const transport = packet[36] === 6 ? "tcp" : "udp";
    const nonce = packet.toString("hex", 24, 36);
    const innerPort = packet.readUInt16BE(40);
    const lifetime = packet.readUInt32BE(4);
    if (lifetime === 0) {
      this.#drop(transport, { by: "pcp", client: from, innerPort, nonce });
      return reply;
    }
    const wish = packet.readUInt16BE(42);
    const outerPort = this.#grant(transport, {
      by: "pcp",
      client: from,
      innerPort,
      lifetime,
      nonce,
      wish,
      now,
    });
    reply.writeUInt32BE(this.options.lifetime ?? lifetime, 4);
    reply.writeUInt16BE(outerPort, 42);
    reply.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...this.outer.split(".").map(Number)], 44);
    return reply;
  }

  /** The number that the client has already, the one that it wishes, or the next free one. */
  #grant(
    transport: Transport,
    wish: Omit<Entry, "endsAtMs"> & { readonly wish: number; readonly now: number },
  ): number {
    const { now, wish: wished, ...entry } = wish;
    const known = [...this.table].find(
      ([key, { client, innerPort }]) =>
        key.startsWith(transport) && client === entry.client && innerPort === entry.innerPort,
    );
    let port = known ? Number(known[0].split(" ")[1]) : wished;
    while (!known && this.table.has(`${transport} ${port}`)) port += 1;
    const endsAtMs = now + entry.lifetime * 1_000;
    this.table.set(`${transport} ${port}`, { ...entry, endsAtMs });
    return port;
  }

  /** Each protocol gives back what it made. */
  #drop(transport: Transport, gone: Pick<Entry, "by" | "client" | "innerPort" | "nonce">): void {
    for (const [key, entry] of this.table) {
      const isIt = entry.client === gone.client && entry.innerPort === gone.innerPort;
      const isOurs = entry.by === gone.by && entry.nonce === gone.nonce;
      if (isIt && isOurs && key.startsWith(transport)) this.table.delete(key);
    }
  }

  // ---- UPnP --------------------------------------------------------------------------------------

  get location(): string {
    return `http://${this.address}:${this.options.httpPort ?? 5_000}/rootDesc.xml`;
  }

  answerSearch(packet: Buffer): Buffer | undefined {
    const target = /^ST: (.*)\r$/m.exec(packet.toString("latin1"))?.[1];
    if (!this.#speaks("upnp") || !target?.includes("InternetGatewayDevice:1")) return undefined;
    return Buffer.from(
      "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\n" +
        `ST: ${target}\r\nUSN: uuid:1::${target}\r\nEXT:\r\n` +
        `SERVER: Router/1.0\r\nLocation: ${this.location}\r\n\r\n`,
    );
  }

  get description(): string {
    const type = `urn:schemas-upnp-org:service:WANIPConnection:${this.options.version ?? 1}`;
    return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major>
<minor>0</minor></specVersion><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
<friendlyName>A &amp; B</friendlyName><deviceList><device><deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/ctl/CmnIfCfg</controlURL></service>
<service><serviceType>${type}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>${CONTROL}</controlURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>`;
  }

  answerHttp(
    request: { readonly method: string; readonly path: string; readonly body: string },
    now: number,
  ): { status: number; body: string } {
    this.expire(now);
    if (request.method === "GET") return { status: 200, body: this.description };
    if (request.path !== CONTROL) return { status: 404, body: "" };
    const action = /<u:(\w+) /.exec(request.body)?.[1] ?? "";
    this.asked.push(`upnp ${action}`);
    const value = (name: string): string =>
      new RegExp(`<${name}>([^<]*)</${name}>`).exec(request.body)?.[1] ?? "";
    const key = `${value("NewProtocol").toLowerCase()} ${value("NewExternalPort")}`;
    switch (action) {
      case "GetExternalIPAddress":
        return done(action, `<NewExternalIPAddress>${this.outer}</NewExternalIPAddress>`);
      case "AddPortMapping":
      case "AddAnyPortMapping":
        return this.#add(action, value, now);
      case "DeletePortMapping":
        return this.table.delete(key) ? done(action, "") : fault(714, "NoSuchEntryInArray");
      case "GetSpecificPortMappingEntry": {
        const entry = this.table.get(key);
        if (!entry) return fault(714, "NoSuchEntryInArray");
        return done(
          action,
          `<NewInternalPort>${entry.innerPort}</NewInternalPort><NewInternalClient>${entry.client}</NewInternalClient>`,
        );
      }
      default:
        return fault(401, "Invalid Action");
    }
  }

  #add(
    action: string,
    value: (name: string) => string,
    now: number,
  ): { status: number; body: string } {
    const { refuses, permanentOnly, version } = this.options;
    if (action === "AddAnyPortMapping" && version !== 2) return fault(401, "Invalid Action");
    if (refuses) return fault(refuses.fault, "Action not authorized");
    const lifetime = Number(value("NewLeaseDuration"));
    if (permanentOnly && lifetime !== 0) return fault(permanentOnly, "Only permanent leases");
    const transport = value("NewProtocol").toLowerCase();
    const client = value("NewInternalClient");
    let port = Number(value("NewExternalPort"));
    const isTaken = (at: number): boolean => {
      const entry = this.table.get(`${transport} ${at}`);
      return entry !== undefined && entry.client !== client;
    };
    if (action === "AddPortMapping" && isTaken(port)) return fault(718, "ConflictInMappingEntry");
    if (isTaken(port)) port = BASE;
    this.table.set(`${transport} ${port}`, {
      by: "upnp",
      client,
      innerPort: Number(value("NewInternalPort")),
      lifetime,
      endsAtMs: lifetime === 0 ? Number.POSITIVE_INFINITY : now + lifetime * 1_000,
      nonce: "",
    });
    return done(
      action,
      action === "AddPortMapping" ? "" : `<NewReservedPort>${port}</NewReservedPort>`,
    );
  }
}

export function done(action: string, inside: string): { status: number; body: string } {
  return {
    status: 200,
    body: `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<u:${action}Response xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">${inside}</u:${action}Response></s:Body></s:Envelope>`,
  };
}

export function fault(code: number, words: string): { status: number; body: string } {
  return {
    status: 500,
    body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>
<faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${code}</errorCode>
<errorDescription>${words}</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`,
  };
}
