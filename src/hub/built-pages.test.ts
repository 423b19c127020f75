import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { loadAssets, type PagesFolder } from "./built-pages.ts";

const MANIFEST = {
  "client/app.tsx": {
    file: "assets/app-1.js",
    name: "app",
    isEntry: true,
    css: ["assets/app-2.css"],
  },
  "client/publish.tsx": { file: "assets/publish-3.js", name: "publish", isEntry: true },
  "transfers/dialog.tsx": { file: "assets/dialog-4.js", name: "dialog", isDynamicEntry: true },
};

/** A build with these files in `client/assets`; compression halves text and lengthens pictures. */
function build(files: Readonly<Record<string, string>>, manifest: object = MANIFEST): PagesFolder {
  return {
    list: async (folder) => {
      assert.equal(folder, "client/assets");
      return Object.keys(files);
    },
    read: async (name) => {
      const text =
        name === "client/.vite/manifest.json"
          ? JSON.stringify(manifest)
          : files[name.replace("client/assets/", "")];
      assert.ok(text !== undefined, name);
      return new Uint8Array(encodeUtf8(text));
    },
    gzip: async (bytes) => new Uint8Array(bytes.length < 10 ? bytes.length : bytes.length / 2),
  };
}

test("files of known types are served, compressed where that makes them shorter; others are not", async () => {
  const { assets, pageAssets } = await loadAssets(
    build({ "app-1.js": "x".repeat(20), "icon.svg": "<svg/>", "notes.map": "{}", plain: "" }),
  );
  assert.deepEqual([...assets.keys()], ["/assets/app-1.js", "/assets/icon.svg"]);
  assert.equal(assets.get("/assets/app-1.js")?.type, "text/javascript; charset=utf-8");
  assert.equal(assets.get("/assets/app-1.js")?.gzip?.length, 10);
  assert.equal(assets.get("/assets/icon.svg")?.type, "image/svg+xml");
  assert.equal(assets.get("/assets/icon.svg")?.gzip, undefined);
  assert.deepEqual(pageAssets, {
    scripts: ["/assets/app-1.js"],
    ownScripts: { publish: "/assets/publish-3.js" },
    styles: ["/assets/app-2.css"],
  });
});

test("a build without the entry of the pages is recognised", async () => {
  assert.equal((await loadAssets(build({}, {}))).pageAssets, undefined);
});
