import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "platform: a file is renamed before its bytes are synced",
    file: "src/platform/atomic-file.ts",
    from: "      await file.sync();\n",
    to: "",
    tests: ["src/platform/disk/durability"],
  },
  {
    name: "platform: a rename is not synced",
    file: "src/platform/atomic-file.ts",
    from: "    await folder.sync();\n",
    to: "",
    tests: ["src/platform/disk/durability"],
  },
  {
    name: "platform: a journal's bytes are not synced",
    file: "src/platform/node-files.ts",
    from: "        await file.datasync();\n",
    to: "",
    tests: ["src/platform/disk/durability"],
  },
  {
    name: "platform: content is not synced",
    file: "src/platform/disk/sync-jobs.ts",
    from: "    await fdatasyncLater(descriptor);\n",
    to: "",
    tests: ["src/platform/disk/durability"],
  },
  {
    name: "platform: the folders of new content are not synced",
    file: "src/platform/disk/sync-jobs.ts",
    from: "    await fsyncLater(descriptor);\n",
    to: "",
    tests: ["src/platform/disk/durability"],
  },
  {
    name: "platform: a file that appeared in the meantime is taken for ours",
    file: "src/platform/disk/open-files.ts",
    from: "flags | constants.O_CREAT | constants.O_EXCL;",
    to: "flags | constants.O_CREAT;",
    tests: ["src/platform/disk/claims"],
  },
  {
    name: "platform: a pipe is opened by waiting for its writer",
    file: "src/platform/bounded-file.ts",
    from: "constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY",
    to: "constants.O_RDONLY | constants.O_NOCTTY",
    tests: ["test/cli/pipes"],
  },
  {
    name: "commands: a file of another length is sent",
    file: "src/commands/ordered-files.ts",
    from: "if (file.size !== length) throw fileChanged(path);",
    to: "if (file.size < 0) throw fileChanged(path);",
    tests: ["test/commands/ordered-files"],
  },
  {
    name: "guard: a tracker elsewhere names neighbours",
    file: "src/guard/own-networks.ts",
    from: "return isNeighbour(bytes) ? REACH.network : reach;",
    to: "return isNeighbour(bytes) ? reach : reach;",
    tests: ["src/guard/net-guard"],
  },
];
