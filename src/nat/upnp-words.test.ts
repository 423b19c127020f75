import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8, encodeUtf8, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { readDescription } from "./igd-description.ts";
import { NatError } from "./nat-error.ts";
import { ownUrl } from "./router-url.ts";
import { encodeCall, readSoapAnswer } from "./soap.ts";
import { decodeSsdp, encodeSearch } from "./ssdp.ts";

const GATEWAY = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
const SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1";

test("UPnP Device Architecture 1.0, 1.2.2: a search", () => {
  assert.equal(
    toLatin1(encodeSearch(GATEWAY)),
    `M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: ${GATEWAY}\r\nMAN: "ssdp:discover"\r\nMX: 2\r\n\r\n`,
  );
});

test("the answer to a search is read, however its headers are spelled", () => {
  const answer = `HTTP/1.1 200 OK\r\nst:${GATEWAY}\r\nLOCATION : http://192.168.1.1:5000/d.xml \r\n\r\n`;
  assert.equal(decodeSsdp(fromLatin1(answer)).location, "http://192.168.1.1:5000/d.xml");
});

for (const [what, answer] of [
  ["a notice", `NOTIFY * HTTP/1.1\r\nNT: ${GATEWAY}\r\nLOCATION: http://192.168.1.1/\r\n\r\n`],
  [
    "a refusal",
    `HTTP/1.1 404 Not Found\r\nST: ${GATEWAY}\r\nLOCATION: http://192.168.1.1/\r\n\r\n`,
  ],
  [
    "a television",
    "HTTP/1.1 200 OK\r\nST: urn:x:device:MediaRenderer:1\r\nLOCATION: http://192.168.1.1/\r\n\r\n",
  ],
  ["no location", `HTTP/1.1 200 OK\r\nST: ${GATEWAY}\r\n\r\n`],
  [
    "a location behind the headers",
    `HTTP/1.1 200 OK\r\nST: ${GATEWAY}\r\n\r\nLOCATION: http://192.168.1.1/\r\n`,
  ],
  [
    "a location without an end",
    `HTTP/1.1 200 OK\r\nST: ${GATEWAY}\r\nLOCATION: http://192.168.1.1/${"a".repeat(600)}\r\n\r\n`,
  ],
  [
    "a long packet",
    `HTTP/1.1 200 OK\r\nST: ${GATEWAY}\r\nLOCATION: http://192.168.1.1/\r\nX: ${"a".repeat(2048)}\r\n\r\n`,
  ],
] as const) {
  test(`WIR-26: SSDP: ${what} is no answer of a router`, () => {
    assert.throws(() => decodeSsdp(fromLatin1(answer)), NatError);
  });
}

for (const [url, isOwn] of [
  ["http://192.168.1.1:5000/d.xml", true],
  ["http://192.168.1.1/d.xml", true],
  ["/ctl", true],
  ["http://3232235777/d.xml", true], // the same address as a number, which the parser of URLs reads
  ["http://192.168.1.2:5000/d.xml", false],
  ["http://127.0.0.1/d.xml", false],
  ["http://router.lan/d.xml", false],
  ["https://192.168.1.1/d.xml", false],
  ["http://u:p@192.168.1.1/d.xml", false],
  ["http://192.168.1.1@9.9.9.9/", false],
  ["//9.9.9.9/ctl", false],
  ["file:///etc/passwd", false],
  ["", true],
] as const) {
  test(`WIR-26: house rule 8: a device at 192.168.1.1 may ${isOwn ? "" : "not "}name ${JSON.stringify(url)}`, () => {
    const found = ownUrl(url, "192.168.1.1", "http://192.168.1.1:5000/d.xml");
    assert.equal(found !== undefined, isOwn);
    if (found) assert.equal(found.hostname, "192.168.1.1");
  });
}

const describe = (base: string, ...services: readonly [type: string, url: string][]): Uint8Array =>
  encodeUtf8(
    `<root>${base}<device><serviceList>${services
      .map(
        ([type, url]) =>
          `<service><serviceType>${type}</serviceType><controlURL>${url}</controlURL></service>`,
      )
      .join("")}</serviceList></device></root>`,
  );
const FROM = { location: "http://192.168.1.1:5000/a/d.xml", address: "192.168.1.1" };

test("services that map ports are found, their paths from the base or the location", () => {
  const ppp = "urn:schemas-upnp-org:service:WANPPPConnection:1";
  const other = "urn:schemas-upnp-org:service:Layer3Forwarding:1";
  assert.deepEqual(
    readDescription(describe("", [other, "/l3f"], [ppp, "ppp"], [SERVICE, "/ip"]), FROM),
    [
      { type: ppp, controlUrl: "http://192.168.1.1:5000/a/ppp" },
      { type: SERVICE, controlUrl: "http://192.168.1.1:5000/ip" },
    ],
  );
  const base = "<URLBase>http://192.168.1.1:80/</URLBase>";
  assert.deepEqual(readDescription(describe(base, [SERVICE, "ip"]), FROM), [
    { type: SERVICE, controlUrl: "http://192.168.1.1/ip" },
  ]);
});

test("WIR-26: services at another machine are left out, a base there too", () => {
  const elsewhere = describe("", [SERVICE, "http://192.168.1.50/reboot"]);
  assert.throws(() => readDescription(elsewhere, FROM), NatError);
  const base = "<URLBase>http://192.168.1.50/</URLBase>";
  assert.deepEqual(readDescription(describe(base, [SERVICE, "/ip"]), FROM), [
    { type: SERVICE, controlUrl: "http://192.168.1.1:5000/ip" },
  ]);
});

test("a call is written as services expect it", () => {
  const { headers, body } = encodeCall({
    serviceType: SERVICE,
    action: "DeletePortMapping",
    values: [
      ["NewRemoteHost", ""],
      ["NewExternalPort", 6881],
      ["NewProtocol", "<&>"],
    ],
  });
  assert.equal(headers["SOAPAction"], `"${SERVICE}#DeletePortMapping"`);
  const text = decodeUtf8(body);
  assert.ok(
    text.includes(
      `<u:DeletePortMapping xmlns:u="${SERVICE}"><NewRemoteHost></NewRemoteHost>` +
        "<NewExternalPort>6881</NewExternalPort><NewProtocol>&lt;&amp;&gt;</NewProtocol></u:DeletePortMapping>",
    ),
    text,
  );
});

test("a refusal has a code and the router's own words, cut off", () => {
  const words = "x".repeat(500);
  const text = `<e:Envelope><e:Body><e:Fault><detail><UPnPError><errorCode>718</errorCode><errorDescription>${words}</errorDescription></UPnPError></detail></e:Fault></e:Body></e:Envelope>`;
  assert.deepEqual(readSoapAnswer(encodeUtf8(text), "AddPortMapping"), {
    kind: "fault",
    code: 718,
    words: "x".repeat(100),
  });
});

for (const text of [
  "<Envelope><Body/></Envelope>",
  "<Envelope><Body><OtherResponse/></Body></Envelope>",
  "<Envelope><Body><Fault><faultcode>x</faultcode></Fault></Body></Envelope>",
  "<html><body>Sign in</body></html>",
]) {
  test(`WIR-26: SOAP: ${text.slice(0, 40)} is no answer`, () => {
    assert.throws(() => readSoapAnswer(encodeUtf8(text), "AddPortMapping"), NatError);
  });
}
