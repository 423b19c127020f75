import type { ComponentChildren } from "preact";
import type { RichBlock, RichInline, RichText } from "../../src/api/rich-text.ts";
import { visibleLines } from "./format.ts";

/** We do not endorse the target of a stranger's link, and it learns nothing about us. */
const strangersLink = "nofollow ugc noopener noreferrer";

/** Somebody else's formatted text: every text is a text node, every block has its own direction. */
export function RichTextView(props: { readonly blocks: RichText }) {
  return <div class="rich">{props.blocks.map(showBlock)}</div>;
}

function showBlock(block: RichBlock, index: number): ComponentChildren {
  switch (block.kind) {
    case "paragraph":
      return (
        <p key={index} dir="auto">
          {showInlines(block.inlines)}
        </p>
      );
    case "heading": {
      const Heading = block.level === 3 ? "h3" : "h4";
      return (
        <Heading key={index} dir="auto">
          {showInlines(block.inlines)}
        </Heading>
      );
    }
    case "code":
      return (
        <pre key={index} tabIndex={0} dir="auto">
          <code>{visibleLines(block.text)}</code>
        </pre>
      );
    case "quote":
      return <blockquote key={index}>{block.blocks.map(showBlock)}</blockquote>;
    case "list":
      return block.start === null ? (
        <ul key={index}>{block.items.map(showItem)}</ul>
      ) : (
        <ol key={index} start={block.start}>
          {block.items.map(showItem)}
        </ol>
      );
    case "table":
      return <Table key={index} head={block.head} rows={block.rows} />;
    case "rule":
      return <hr key={index} />;
  }
}

function showItem(blocks: RichText, index: number) {
  return <li key={index}>{blocks.map(showBlock)}</li>;
}

function Table(props: {
  readonly head: readonly (readonly RichInline[])[];
  readonly rows: readonly (readonly (readonly RichInline[])[])[];
}) {
  return (
    // A table wider than a phone scrolls by itself, also with the keyboard.
    <div class="wide" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {props.head.map((cell, index) => (
              <th key={index} scope="col" dir="auto">
                {showInlines(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} dir="auto">
                  {showInlines(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function showInlines(inlines: readonly RichInline[]): ComponentChildren {
  return inlines.map((inline, index) => {
    if (typeof inline === "string") return visibleLines(inline);
    switch (inline.kind) {
      case "strong":
        return <strong key={index}>{showInlines(inline.inlines)}</strong>;
      case "emphasis":
        return <em key={index}>{showInlines(inline.inlines)}</em>;
      case "deleted":
        return <del key={index}>{showInlines(inline.inlines)}</del>;
      case "code":
        return <code key={index}>{visibleLines(inline.text)}</code>;
      case "link":
        return (
          <a key={index} href={inline.href} rel={strangersLink}>
            {showInlines(inline.inlines)}
          </a>
        );
      case "break":
        return <br key={index} />;
    }
  });
}
