import { defineConfig } from "oxlint";
import { ROOMS, WORLDLY_GLOBALS } from "./tools/layers.ts";

const pureRooms = [...ROOMS].filter(([, room]) => !room.world).map(([name]) => name);

export default defineConfig({
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "promise"],
  jsPlugins: ["./tools/layers-rule.ts"],
  categories: { correctness: "error" },
  ignorePatterns: ["dist", "web/dist", "bench/out"],
  rules: {
    "everseed/layers": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/no-duplicates": "error",
    "import/no-default-export": "error",
    "import/no-mutable-exports": "error",
    "no-console": "error",
    "no-empty": "error",
    "no-empty-function": "off",
    "no-var": "error",
    "prefer-const": "error",
    eqeqeq: "error",
    // Terminal escapes are looked for with control characters in patterns.
    "no-control-regex": "off",
    // The wire is handled in order, one await after the other.
    "no-await-in-loop": "off",
    "unicorn/prefer-node-protocol": "error",
    "typescript/no-explicit-any": "error",
    "typescript/ban-ts-comment": "error",
    "typescript/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
    // Spreading a text into its code points is what we mean when we do it.
    "typescript/no-misused-spread": "off",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/switch-exhaustiveness-check": [
      "error",
      { considerDefaultExhaustiveForUnions: true },
    ],
    "typescript/no-deprecated": "error",
    "typescript/no-unsafe-argument": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-unnecessary-type-assertion": "error",
    "typescript/return-await": "error",
    // `number` in a template is what templates are for; objects are not.
    "typescript/restrict-template-expressions": "error",
  },
  overrides: [
    {
      files: pureRooms.map((room) => `src/${room}/**/*.ts`),
      excludeFiles: ["**/*.test.ts"],
      rules: {
        "no-restricted-globals": [
          "error",
          ...[...WORLDLY_GLOBALS].map(([name, message]) => ({ name, message })),
        ],
        "no-restricted-properties": [
          "error",
          { object: "Math", property: "random", message: "Take chance from the Random port." },
          { object: "globalThis", property: "setTimeout", message: "Use the Clock port." },
          { object: "globalThis", property: "setInterval", message: "Use the Clock port." },
          { object: "globalThis", property: "Date", message: "Use the Clock port." },
        ],
      },
    },
    {
      // `test()` of node:test returns a promise that its runner awaits.
      files: ["**/*.test.ts", "**/*.test.tsx"],
      rules: { "typescript/no-floating-promises": "off" },
    },
    {
      files: ["*.config.ts", "web/*.config.ts", "tools/layers-rule.ts"],
      rules: { "import/no-default-export": "off" },
    },
    {
      files: ["tools/**", "bench/**", "test/**", "web/**"],
      rules: { "no-console": "off" },
    },
  ],
});
