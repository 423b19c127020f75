import { relative, sep } from "node:path";
import { judgeImport } from "./layers.ts";

/** The parts of oxlint's plugin interface (that of ESLint) that this rule uses. */
interface RuleContext {
  readonly cwd: string;
  readonly filename: string;
  report(finding: { readonly node: SyntaxNode; readonly message: string }): void;
}

interface SyntaxNode {
  readonly source?: SyntaxNode | null;
  readonly value?: unknown;
}

/** Every form of import: static, re-export, dynamic, and inside a type. */
function createLayersRule(context: RuleContext): Record<string, (node: SyntaxNode) => void> {
  const file = relative(context.cwd, context.filename).split(sep).join("/");
  const judge = (node: SyntaxNode): void => {
    const specifier = node.source?.value;
    if (typeof specifier !== "string") return;
    const message = judgeImport(file, specifier);
    if (message !== undefined) context.report({ node, message });
  };
  return {
    ImportDeclaration: judge,
    ExportNamedDeclaration: judge,
    ExportAllDeclaration: judge,
    ImportExpression: judge,
    TSImportType: judge,
  };
}

export default {
  meta: { name: "everseed" },
  rules: { layers: { create: createLayersRule } },
};
