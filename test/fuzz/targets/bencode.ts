import { equalBytes, fromLatin1 } from "../../../src/base/bytes.ts";
import { BencodeError } from "../../../src/bencode/bencode-error.ts";
import { isDict } from "../../../src/bencode/bencode-value.ts";
import { decode, decodePrefix } from "../../../src/bencode/decode.ts";
import { equalValues, Oddities } from "../../../src/bencode/oddities.ts";
import { encode } from "../../../src/bencode/encode.ts";
import type { FuzzTarget } from "../target.ts";

const corpus = [
  "i0e",
  "i-9223372036854775808e",
  "4:spam",
  "l4:spami3eledee",
  "d3:cow3:moo4:spam4:eggse",
  "d8:announce10:http://a/x4:infod6:lengthi40000e4:name5:a.bin12:piece lengthi32768e6:pieces3:012ee",
  "d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxxxxxxxxx",
  "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
  "lllllllllllllllleeeeeeeeeeeeeeee",
].map(fromLatin1);

/** BEN-14: every accepted input encodes back to the same bytes. */
const strict: FuzzTarget = {
  name: "bencode",
  corpus,
  refusals: [BencodeError],
  run: (input) => {
    const { value, end } = decodePrefix(input);
    if (!equalBytes(encode(value), input.subarray(0, end))) throw new Error("no round trip");
    decode(input);
  },
};

const lax: FuzzTarget = {
  name: "bencode-lax",
  corpus: [...corpus, fromLatin1("d1:bi1e1:ai2e2:aai3ee")],
  refusals: [BencodeError],
  run: (input) => {
    const spans = new Map<string, Uint8Array>();
    const value = decode(input, { lax: true, spans });
    if (!isDict(value)) return;
    for (const [key, item] of value) {
      const raw = spans.get(key);
      if (!raw) throw new Error("a key that is there has no span");
      const again = encode(decode(raw, { lax: true }));
      if (!equalBytes(again, encode(item))) throw new Error("the raw value is another one");
    }
  },
};

/** BEN-9: the lax mode reads the first value of an odd document, and its clean form is what the strict mode reads. */
const outside: FuzzTarget = {
  name: "bencode-outside",
  corpus: [...corpus, fromLatin1("d1:ai00e1:ai0e1:bi1e1:bi2ee\nxx"), fromLatin1("l01:ai-0ee\0")],
  refusals: [BencodeError],
  run: (input) => {
    const oddities = new Oddities();
    const value = decode(input, { oddities });
    const { end, trailingBytes, repeats, paddedNumbers } = oddities;
    if (trailingBytes !== 0 && trailingBytes !== input.length - end) throw new Error("wrong end");
    const again = new Oddities();
    const same = decode(input.subarray(0, end), { oddities: again });
    if (!equalValues(value, same) || again.end !== end) throw new Error("the rest was looked at");
    if (!equalValues(value, decode(encode(value)))) throw new Error("no round trip");
    if (repeats.length > 0 || paddedNumbers > 0) return;
    if (!equalValues(value, decode(input.subarray(0, end), { lax: true }))) {
      throw new Error("read in another way than without oddities");
    }
  },
};

export const targets: readonly FuzzTarget[] = [strict, lax, outside];
