import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import {
  type ExtensionHandshake,
  ExtensionTable,
  decodeExtensionHandshake,
  encodeExtensionHandshake,
} from "./extensions.ts";

function decodeText(text: string): ExtensionHandshake {
  return decodeExtensionHandshake(fromLatin1(text));
}

for (const [what, payload] of [
  ["nothing", ""],
  ["a list", "le"],
  ["a number", "i1e"],
  ["bytes after the dictionary", "de0:"],
  ["half a dictionary", "d1:md"],
  ["a bencode bomb", `d1:v${"l".repeat(60_000)}`],
  ["eleven levels", `d1:v${"l".repeat(10)}${"e".repeat(10)}e`],
  ["more than 64 KiB", `d1:v65536:${"x".repeat(65_536)}e`],
  ["4096 values", `d1:vl${"i0e".repeat(4096)}ee`],
  ["a key twice", "d1:pi1e1:pi2ee"],
] as const) {
  test(`WIR-9: refuses ${what}`, () => {
    assert.throws(() => decodeText(payload), { code: "bad-extension" });
  });
}

test("WIR-9: each field is judged alone, and the valid ones are kept", () => {
  const table: readonly (readonly [string, Partial<ExtensionHandshake>])[] = [
    ["4:reqqi0e", { requestQueue: undefined }],
    ["4:reqqi-5e", { requestQueue: undefined }],
    ["4:reqqi1e", { requestQueue: 1 }],
    ["4:reqqi2000e", { requestQueue: 2000 }],
    ["4:reqqi9007199254740991e", { requestQueue: 65_535 }],
    ["4:reqqi18446744073709551615e", { requestQueue: undefined }],
    ["4:reqq3:abc", { requestQueue: undefined }],
    ["1:pi0e", { listenPort: undefined }],
    ["1:pi65536e", { listenPort: undefined }],
    ["1:pi6881e", { listenPort: 6881 }],
    ["1:pl4:6881e", { listenPort: undefined }],
    ["13:metadata_sizei-1e", { metadataSize: undefined }],
    ["13:metadata_sizei0e", { metadataSize: undefined }],
    ["13:metadata_sizei31235e", { metadataSize: 31_235 }],
    ["6:yourip3:abc", { yourIp: undefined }],
    ["6:yourip4:\x7f\x00\x00\x01", { yourIp: Uint8Array.of(127, 0, 0, 1) }],
    ["4:ipv416:aaaaaaaaaaaaaaaa", { ipv4: undefined }],
    ["4:ipv64:aaaa", { ipv6: undefined }],
    ["1:v0:", { client: undefined }],
    ["1:vi3e", { client: undefined }],
    ["1:v5:\xc3\xa9\xff12", { client: "\u00e9\ufffd12" }],
    ["11:upload_onlyi1e", { uploadOnly: true }],
    ["11:upload_onlyi0e", { uploadOnly: false }],
    ["11:upload_only1:1", { uploadOnly: undefined }],
    ["12:everseed_utpi32768e", { datagramBytes: 32_768 }],
    ["12:everseed_utpi0e", { datagramBytes: undefined }],
    ["12:everseed_utpi65508e", { datagramBytes: undefined }],
    ["12:everseed_utp3:abc", { datagramBytes: undefined }],
    ["1:ei1e", { prefersEncryption: true }],
    ["1:ei0e", { prefersEncryption: false }],
    ["1:e3:yes", { prefersEncryption: undefined }],
    ["1:m3:abc", { messages: new Map() }],
    ["1:mde", { messages: new Map() }],
  ];
  for (const [field, expected] of table) {
    // Unknown keys around it, one of them named like a method of objects (BEN-11).
    const handshake = decodeText(`d11:constructori7e${field}1:zi1ee`.replace("e1:z", "e1:z"));
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(handshake[key as keyof ExtensionHandshake], value, field);
    }
  }
});

test("WIR-9: a client's name of 60 KiB is cut to 64 characters", () => {
  assert.equal(decodeText(`d1:v60000:${"x".repeat(60_000)}e`).client?.length, 64);
  const astral = Buffer.from("\u{1f331}".repeat(100));
  const handshake = decodeText(`d1:v${astral.length}:${toLatin1(astral)}e`);
  assert.equal(handshake.client, "\u{1f331}".repeat(64));
});

test("WIR-9: ids are 0 to 255, names short and few", () => {
  const { messages } = decodeText("d1:md1:ai256e1:bi-1e1:ci255e1:di0e1:e1:xee");
  assert.deepEqual(
    [...messages],
    [
      ["c", 255],
      ["d", 0],
    ],
  );
  const long = "n".repeat(65);
  assert.equal(decodeText(`d1:md65:${long}i1eee`).messages.size, 0);
  const many = Array.from({ length: 500 }, (_, index) => `4:${1000 + index}i1e`).join("");
  assert.equal(decodeText(`d1:md${many}ee`).messages.size, 128);
});

test("BEP 10: an extension handshake, both ways", () => {
  const text =
    "d1:ei1e12:everseed_utpi32768e1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e1:v12:Everseed 1.0e";
  const handshake = decodeText(text);
  assert.deepEqual(handshake, {
    messages: new Map([
      ["ut_metadata", 3],
      ["ut_pex", 1],
    ]),
    listenPort: 6881,
    client: "Everseed 1.0",
    yourIp: undefined,
    ipv4: undefined,
    ipv6: undefined,
    requestQueue: undefined,
    metadataSize: 31_235,
    uploadOnly: undefined,
    datagramBytes: 32_768,
    prefersEncryption: true,
  });
  assert.equal(toLatin1(encodeExtensionHandshake(handshake)), text);
});

test("the result keeps nothing of the borrowed payload", () => {
  const payload = fromLatin1("d6:yourip4:\x01\x02\x03\x04e");
  const handshake = decodeExtensionHandshake(payload);
  payload.fill(0);
  assert.deepEqual(handshake.yourIp, Uint8Array.of(1, 2, 3, 4));
});

test("BEP 10: each side has its own ids", () => {
  const table = new ExtensionTable(["ut_metadata", "lt_donthave"]);
  assert.deepEqual(
    [...table.offered],
    [
      ["ut_metadata", 1],
      ["lt_donthave", 2],
    ],
  );
  assert.equal(table.nameOf(1), "ut_metadata");
  assert.equal(table.nameOf(2), "lt_donthave");
  assert.equal(table.nameOf(0), undefined);
  assert.equal(table.nameOf(3), undefined);
  assert.equal(table.remoteId("ut_metadata"), undefined);
});

test("BEP 10: repeated handshakes add, change and switch off messages", () => {
  const table = new ExtensionTable([]);
  table.handleHandshake(decodeText("d1:md11:ut_metadatai3e6:ut_pexi1eee"));
  table.handleHandshake(decodeText("d1:md11:ut_metadatai7eee"));
  assert.equal(table.remoteId("ut_metadata"), 7);
  assert.equal(table.remoteId("ut_pex"), 1);
  table.handleHandshake(decodeText("d1:md6:ut_pexi0eee"));
  assert.equal(table.remoteId("ut_metadata"), 7);
  assert.equal(table.remoteId("ut_pex"), undefined);
});

test("WIR-9: repeated handshakes do not grow the table without end", () => {
  const table = new ExtensionTable([]);
  for (let round = 0; round < 10; round += 1) {
    const names = Array.from({ length: 100 }, (_, index) => `4:${round}${100 + index}i1e`).join("");
    table.handleHandshake(decodeText(`d1:md${names}ee`));
  }
  assert.equal(table.remoteId("0100"), 1);
  assert.equal(table.remoteId("9199"), undefined);
});
