import { decodeUtf8 } from "../base/bytes.ts";
import { NatError } from "./nat-error.ts";

/** An element, without its attributes: routers say nothing in them that we need. */
export interface XmlElement {
  /** In lower case and without a prefix: routers differ in both. */
  readonly name: string;
  /** The text directly inside, without the space around it. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Bytes of a document. Descriptions of real routers have 2 to 20 KiB. */
export const XML_BYTES_MAX = 128 * 1024;
const DEPTH_MAX = 24;
const ELEMENTS_MAX = 2_000;
/** Characters of a name. */
const NAME_MAX = 100;

const NAMED: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);
const SPACE = new Set([" ", "\t", "\r", "\n"]);

interface OpenElement {
  readonly name: string;
  /** As written, to compare with the end tag. */
  readonly tag: string;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads a small XML document of a router. Nothing outside it is ever loaded, and it may declare no entities: a
 * DOCTYPE is refused, so that no entity expands (WIR-26). What follows the root element is ignored, because some
 * routers send a zero byte there.
 *
 * @throws {NatError} `bad-xml`
 */
export function readXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > XML_BYTES_MAX) throw refused(`${bytes.length} bytes`);
  const text = decodeUtf8(bytes);
  const open: OpenElement[] = [];
  let elements = 0;
  let at = 0;
  for (;;) {
    const tagAt = text.indexOf("<", at);
    const inside = open.at(-1);
    const before = text.slice(at, tagAt === -1 ? text.length : tagAt);
    if (inside) inside.text += withoutEntities(before);
    if (tagAt === -1) throw refused("it ends inside an element");
    if (text.startsWith("<!--", tagAt)) {
      at = after(text, "-->", tagAt + 4);
    } else if (text.startsWith("<![CDATA[", tagAt)) {
      const end = after(text, "]]>", tagAt + 9);
      if (inside) inside.text += text.slice(tagAt + 9, end - 3);
      at = end;
    } else if (text.startsWith("<?", tagAt)) {
      at = after(text, "?>", tagAt + 2);
    } else if (text.startsWith("<!", tagAt)) {
      throw refused("it declares something of its own");
    } else if (text.startsWith("</", tagAt)) {
      at = after(text, ">", tagAt + 2);
      const element = close(open, text.slice(tagAt + 2, at - 1).trim());
      if (open.length === 0) return element;
    } else {
      const tag = readTag(text, tagAt + 1);
      at = tag.end;
      elements += 1;
      if (elements > ELEMENTS_MAX) throw refused(`more than ${ELEMENTS_MAX} elements`);
      if (open.length >= DEPTH_MAX) throw refused(`deeper than ${DEPTH_MAX} levels`);
      open.push({ name: localName(tag.name), tag: tag.name, children: [], text: "" });
      if (tag.isEmpty) {
        const element = close(open, tag.name);
        if (open.length === 0) return element;
      }
    }
  }
}

/** @returns The first child of that name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** @returns The text of the first child of that name; empty when there is none. */
export function textOf(element: XmlElement | undefined, name: string): string {
  return childOf(element, name)?.text ?? "";
}

/** All elements of that name inside, at any depth, in the order of the document. */
export function* elementsOf(element: XmlElement, name: string): Generator<XmlElement> {
  for (const child of element.children) {
    if (child.name === name) yield child;
    yield* elementsOf(child, name);
  }
}

/** Writes text so that it stands for itself between tags. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function close(open: OpenElement[], tag: string): XmlElement {
  const last = open.pop();
  if (last?.tag !== tag) throw refused("its tags do not match");
  const element = { name: last.name, text: last.text.trim(), children: last.children };
  open.at(-1)?.children.push(element);
  return element;
}

/** Reads a start tag, whose attributes are passed over. A `>` inside a quoted value does not end it. */
function readTag(text: string, from: number): { name: string; end: number; isEmpty: boolean } {
  let at = from;
  while (at < text.length && !SPACE.has(text[at]!) && text[at] !== ">" && text[at] !== "/") at += 1;
  const name = text.slice(from, at);
  if (name === "" || name.length > NAME_MAX) throw refused("a tag has no name");
  for (;;) {
    const letter = text[at];
    if (letter === undefined) throw refused("it ends inside a tag");
    if (letter === ">") return { name, end: at + 1, isEmpty: text[at - 1] === "/" };
    at = letter === '"' || letter === "'" ? after(text, letter, at + 1) : at + 1;
  }
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  if (at === -1) throw refused("it ends too soon");
  return at + mark.length;
}

function localName(tag: string): string {
  return tag.slice(tag.indexOf(":") + 1).toLowerCase();
}

/** Only the five names of XML itself, and numbers; anything else stays as it is written, as text. */
function withoutEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#([0-9]{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (all, ...groups) => {
    const [decimal, hex, name] = groups as (string | undefined)[];
    if (name !== undefined) return NAMED.get(name) ?? all;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : all;
  });
}

function refused(why: string): NatError {
  return new NatError("bad-xml", why);
}
