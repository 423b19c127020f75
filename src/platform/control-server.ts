import { lstatSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import type { WebHandler } from "../ports/web.ts";
import { takeLock } from "./lock-file.ts";
import { NodeFiles } from "./node-files.ts";
import { PlatformError } from "./platform-error.ts";

/** Bytes of a socket's path that Linux takes, without the closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107;
/** Connections at once: commands of one person, and pages that watch. */
const CONNECTIONS_MAX = 256;
/** How long whoever answers on a socket may take to accept us. */
const PROBE_MS = 2_000;
/** On shutdown, answers under way get this long; then connections are cut. */
const CLOSE_GRACE_MS = 500;

/** HTTP on a Unix socket that only this user may open (CLI-7). */
export interface ControlServer {
  readonly path: string;
  /** Answers requests from now on; before that they are told to come back. */
  serve(handle: WebHandler): void;
  /** Removes the socket. */
  close(): Promise<void>;
}

/**
 * Opens the socket in a folder of its own, which is made when it is absent. A socket that a dead process left behind is
 * replaced; nothing else that stands there is touched.
 *
 * @param path - Absolute.
 * @throws {PlatformError} (rejects) `path-too-long`; `locked`, naming the process that serves there; `place-taken`;
 *   `open-to-others`; or the system's error.
 */
export async function openControlServer(path: string): Promise<ControlServer> {
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    const much = `it has ${bytes} bytes, and the system takes ${SOCKET_PATH_BYTES_MAX}`;
    throw new PlatformError("path-too-long", `${path} is too long for a socket: ${much}`);
  }
  const folder = dirname(path);
  await new NodeFiles().makeFolder(folder);
  refuseOpenFolder(folder);
  // Two programs that find the same dead socket must not both replace it.
  const lock = takeLock(join(folder, "control.lock"));
  try {
    await clearPlace(path);
    const server = await listen(path);
    return {
      path,
      serve: server.serve,
      async close() {
        await server.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whoever may write there could put a socket of his own in the place of ours. */
function refuseOpenFolder(folder: string): void {
  const { uid, mode } = statSync(folder);
  const user = process.getuid?.() ?? uid;
  if (uid !== user && uid !== 0) {
    throw new PlatformError("open-to-others", `${folder} belongs to another user (${uid})`);
  }
  if ((mode & 0o022) !== 0) {
    throw new PlatformError("open-to-others", `other users may write in ${folder}`);
  }
}

/** Removes a socket without a listener. */
async function clearPlace(path: string): Promise<void> {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (!facts) return;
  if (!facts.isSocket()) {
    throw new PlatformError("place-taken", `${path} is no socket, but a file or folder`);
  }
  if (await answers(path)) {
    throw new PlatformError("place-taken", `another program answers on ${path}`);
  }
  rmSync(path, { force: true });
}

async function answers(path: string): Promise<boolean> {
  const socket = connect({ path, signal: AbortSignal.timeout(PROBE_MS) });
  try {
    return await new Promise<boolean>((resolve, reject) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", (error) => {
        const code = systemCode(error);
        if (code === "ECONNREFUSED" || code === "ENOENT") resolve(false);
        // A listener whose queue is full: it lives.
        else if (code === "EAGAIN" || error.name === "AbortError") resolve(true);
        else reject(error);
      });
    });
  } finally {
    socket.destroy();
  }
}

async function listen(path: string): Promise<Omit<ControlServer, "path">> {
  let handle: WebHandler = () => Promise.resolve(notYet());
  let loading: Promise<RequestListener> | undefined;
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    loading ??= loadListener((request, env) => {
      const { outgoing: answer } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
      const cut = (): void => void answer.destroy();
      return handle(request, { remoteAddress: "", localAddress: undefined, cut });
    });
    loading.then(
      (listen) => listen(incoming, outgoing),
      () => outgoing.destroy(),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  await bindPrivately(server, path);
  return {
    serve: (wanted) => {
      handle = wanted;
    },
    close: () => closed(server),
  };
}

type RequestListener = ReturnType<
  Awaited<typeof import("@hono/node-server")>["getRequestListener"]
>;

/** Loaded with the first request: an idle node needs neither it nor what Node loads for it, a tenth of its memory. */
async function loadListener(
  ...fetch: Parameters<Awaited<typeof import("@hono/node-server")>["getRequestListener"]>
): Promise<RequestListener> {
  const { getRequestListener } = await import("@hono/node-server");
  return getRequestListener(...fetch);
}

/** The socket is closed to others from its first moment on: a change of its mode would come too late (CLI-3). */
async function bindPrivately(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
  });
  // Node binds a path before `listen` returns.
  const before = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
  await listening;
}

function notYet(): Response {
  return new Response("Everseed is starting.\n", { status: 503, headers: { "retry-after": "1" } });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
}
