import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { NatError } from "./nat-error.ts";
import { childOf, elementsOf, readXml, textOf, XML_BYTES_MAX } from "./xml-reader.ts";

const read = (text: string) => readXml(encodeUtf8(text));

test("elements, text, attributes, comments and CDATA are read", () => {
  const root = read(
    '\ufeff<?xml version="1.0"?>\r\n<!-- c --><s:Root xmlns="a>b" x=\'/\'><a> one <!-- two --> &lt;&#65;&#x42;&amp;amp; </a>' +
      "<b/><B >x<![CDATA[<&amp;>]]></B ></s:Root>\0\0",
  );
  assert.equal(root.name, "root");
  assert.equal(textOf(root, "a"), "one  <AB&amp;");
  assert.deepEqual(
    root.children.map(({ name, text }) => [name, text]),
    [
      ["a", "one  <AB&amp;"],
      ["b", ""],
      ["b", "x<&amp;>"],
    ],
  );
  assert.equal(childOf(root, "c"), undefined);
  assert.equal([...elementsOf(root, "b")].length, 2);
});

test("WIR-26: entities of a document's own are refused, nested ones and files too", () => {
  const bomb =
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><r>&b;&b;&b;&b;</r>';
  const file = '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>';
  for (const text of [bomb, file, `<r>${bomb}</r>`]) assert.throws(() => read(text), NatError);
  assert.equal(read("<r>&b;&unknown;&#0;&#1114112;</r>").text, "&b;&unknown;&#0;&#1114112;");
});

for (const [what, text] of [
  ["nothing", ""],
  ["no element", "just words"],
  ["an element without an end", "<r><a></a>"],
  ["ends that do not match", "<r><a></r></a>"],
  ["an end without a start", "</r>"],
  ["a tag without an end", "<r"],
  ["a tag without a name", "<>"],
  ["a value without an end", '<r a="></r>'],
  ["a comment without an end", "<r><!-- </r>"],
  ["CDATA without an end", "<r><![CDATA[ </r>"],
  ["an instruction without an end", "<?xml "],
  ["elements in a tower", `${"<a>".repeat(25)}${"</a>".repeat(25)}`],
  ["elements without number", `<r>${"<a/>".repeat(2_001)}</r>`],
  ["a name of a hundred letters and more", `<${"a".repeat(101)}/>`],
  ["more bytes than a description has", `<r>${" ".repeat(XML_BYTES_MAX)}</r>`],
] as const) {
  test(`WIR-26: XML: ${what} is refused`, () => {
    assert.throws(() => read(text), NatError);
  });
}
