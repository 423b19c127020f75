import { encodeUtf8 } from "../base/bytes.ts";
import { NatError } from "./nat-error.ts";
import { childOf, elementsOf, escapeXml, readXml, textOf, type XmlElement } from "./xml-reader.ts";

/** Characters of a router's own words that are kept. */
const WORDS_MAX = 100;

/** A call of an action of a service (UPnP Device Architecture 1.0, 3.2). */
export interface SoapCall {
  readonly serviceType: string;
  readonly action: string;
  /** In the order that the service expects. */
  readonly values: readonly (readonly [name: string, value: string | number])[];
}

/** What came of it. */
export type SoapAnswer =
  /** @property values - The values returned, by their names in lower case. */
  | { readonly kind: "done"; readonly values: ReadonlyMap<string, string> }
  /** @property words - The router's own; escape them where they are shown. */
  | { readonly kind: "fault"; readonly code: number; readonly words: string };

export function encodeCall({ serviceType, action, values }: SoapCall): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
} {
  const inside = values
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join("");
  const body =
    `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
    `s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>` +
    `<u:${action} xmlns:u="${serviceType}">${inside}</u:${action}></s:Body></s:Envelope>\r\n`;
  return {
    headers: {
      "Content-Type": 'text/xml; charset="utf-8"',
      SOAPAction: `"${serviceType}#${action}"`,
    },
    body: encodeUtf8(body),
  };
}

/**
 * Reads the answer to a call.
 *
 * @throws {NatError} `bad-xml`; `bad-answer` for a document that answers something else.
 */
export function readSoapAnswer(bytes: Uint8Array, action: string): SoapAnswer {
  const body = childOf(readXml(bytes), "body");
  const fault = childOf(body, "fault");
  if (fault) return readFault(fault);
  const answer = childOf(body, `${action.toLowerCase()}response`);
  if (!answer) throw new NatError("bad-answer", `it does not answer ${action}`);
  return {
    kind: "done",
    values: new Map(answer.children.map(({ name, text }) => [name, text])),
  };
}

function readFault(fault: XmlElement): SoapAnswer {
  const [error] = elementsOf(fault, "upnperror");
  const text = textOf(error, "errorcode");
  const code = Number(text);
  if (!/^[0-9]{1,5}$/.test(text)) throw new NatError("bad-answer", "a refusal without a code");
  return { kind: "fault", code, words: textOf(error, "errordescription").slice(0, WORDS_MAX) };
}
