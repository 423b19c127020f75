import { encodeUtf8, fromLatin1 } from "../../../src/base/bytes.ts";
import { readDescription } from "../../../src/nat/igd-description.ts";
import { NatError } from "../../../src/nat/nat-error.ts";
import { decodeNatPmp } from "../../../src/nat/natpmp.ts";
import { decodePcp } from "../../../src/nat/pcp.ts";
import { PortMapper } from "../../../src/nat/port-mapper.ts";
import { ownUrl } from "../../../src/nat/router-url.ts";
import { readSoapAnswer } from "../../../src/nat/soap.ts";
import { decodeSsdp } from "../../../src/nat/ssdp.ts";
import { readXml } from "../../../src/nat/xml-reader.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import { done, fault, SimGateway } from "../../nat/sim-gateway.ts";
import type { FuzzTarget } from "../target.ts";

const ROUTER = "192.168.1.1";
const US = "192.168.1.7";
const DOCUMENTS = [
  new SimGateway({ speaks: ["upnp"] }).description,
  done("GetExternalIPAddress", "<NewExternalIPAddress>9.1.2.3</NewExternalIPAddress>").body,
  fault(718, "Conflict").body,
  '<?xml version="1.0"?><!-- c --><r a="b>"><![CDATA[x]]>&lt;&#65;<e/></r>',
  '<!DOCTYPE r [<!ENTITY a "&a;&a;">]><r>&a;</r>',
].map(encodeUtf8);

const xml: FuzzTarget = {
  name: "gateway-xml",
  corpus: DOCUMENTS,
  refusals: [NatError],
  run: (input) => {
    // What is no XML is refused; XML that is no answer is read all the same.
    readXml(input);
    for (const read of [
      () => readSoapAnswer(input, "GetExternalIPAddress"),
      () => {
        const from = { location: `http://${ROUTER}:5000/d.xml`, address: ROUTER };
        for (const { controlUrl } of readDescription(input, from)) {
          if (new URL(controlUrl).hostname !== ROUTER) throw new Error("a service elsewhere");
        }
      },
    ]) {
      try {
        read();
      } catch (error) {
        if (!(error instanceof NatError)) throw error;
      }
    }
  },
};

const ANSWER = new SimGateway({ speaks: ["upnp"] }).answerSearch(
  Buffer.from("ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"),
)!;

const ssdp: FuzzTarget = {
  name: "ssdp",
  corpus: [Uint8Array.from(ANSWER), fromLatin1("HTTP/1.1 200 OK\r\nLOCATION: http://a/\r\n\r\n")],
  refusals: [NatError],
  run: (input) => {
    const url = ownUrl(decodeSsdp(input).location, ROUTER);
    if (url && url.hostname !== ROUTER) throw new Error("a description elsewhere");
  },
};

/** Packets of one mapping, as a router sends them. */
function replies(speaks: "pcp" | "natpmp"): Uint8Array[] {
  const gateway = new SimGateway({ speaks: [speaks] });
  const packets: Uint8Array[] = [];
  const mapper = newMapper();
  mapper.start(0);
  for (let now = 0; now < 3_000; now += 50) {
    mapper.handleTimeout(now);
    for (const { packet } of mapper.takeDatagrams().router) {
      const reply = gateway.answerMapping(Buffer.from(packet), US, now);
      if (!reply) continue;
      packets.push(Uint8Array.from(reply));
      mapper.handlePacket(reply, { address: ROUTER, port: 5351 }, now);
    }
  }
  return packets;
}

function newMapper(): PortMapper {
  return new PortMapper({
    random: seededRandom(1),
    place: { address: US, gateway: ROUTER },
    ports: () => ({ tcp: 6881, udp: 6881 }),
    isNear: () => true,
  });
}

/** A whole mapper takes the packet: nothing may throw, and what it asks for then is bounded and goes to its router. */
function takeIn(input: Uint8Array): void {
  const mapper = newMapper();
  mapper.start(0);
  mapper.handleTimeout(1_000);
  mapper.takeDatagrams();
  const from = { address: ROUTER, port: 5351 };
  for (const now of [1_001, 1_002]) {
    mapper.handlePacket(input, from, now);
    mapper.handleAnnouncement(input, from, now);
    mapper.handleTimeout(now);
  }
  const { router } = mapper.takeDatagrams();
  if (router.length > 4) throw new Error(`${router.length} packets for two`);
  if (router.some(({ to }) => to.address !== ROUTER)) throw new Error("a packet to somebody else");
}

const natpmp: FuzzTarget = {
  name: "natpmp",
  corpus: replies("natpmp"),
  refusals: [NatError],
  run: (input) => {
    takeIn(input);
    decodeNatPmp(input);
  },
};

const pcp: FuzzTarget = {
  name: "pcp",
  corpus: replies("pcp"),
  refusals: [NatError],
  run: (input) => {
    takeIn(input);
    decodePcp(input);
  },
};

export const targets: readonly FuzzTarget[] = [xml, ssdp, natpmp, pcp];
