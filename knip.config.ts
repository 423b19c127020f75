import type { KnipConfig } from "knip";

export default {
  // Found by name at run time, or started through tools/run, so nothing imports them.
  entry: [
    "src/cli/main.ts",
    "src/cli/commands/*.ts",
    "src/platform/disk/disk-worker.ts",
    "test/interop/{outer-addresses,transmission-streams,transmission-pex}.ts",
    "test/interop/{router-network,two-routers,ipv6-link}.ts",
    "tools/**/*.ts",
    "bench/*.ts",
    "bench/peers/{flooder,http-floor}.ts",
    "test/**/*.test.ts",
    "test/fuzz/run.ts",
    "test/fresh/first-upload.ts",
    "test/fuzz/targets/*.ts",
    "src/**/*.test.ts",
    "web/**/*.test.{ts,tsx}",
    "web/client/{app,publish,transfers,transfer}.tsx",
    "web/render.tsx",
  ],
  project: ["src/**/*.ts", "web/**/*.{ts,tsx}", "tools/**/*.ts", "bench/**/*.ts", "test/**/*.ts"],
  // Started through tools/run.
  ignoreDependencies: ["oxfmt"],
  // The system's own, which tests skip without.
  ignoreBinaries: [
    "transmission-remote",
    "aria2c",
    "gcc",
    "perf",
    "strace",
    "systemd-analyze",
    "mkfifo",
    "ip",
    "mount",
    "openssl",
    "umount",
    "unshare",
    "diff",
    "dpkg-deb",
    "fish",
    "script",
    "transmission-show",
    "zbarimg",
  ],
  ignoreExportsUsedInFile: true,
} satisfies KnipConfig;
