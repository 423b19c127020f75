import type { ControlApi } from "../hub/control-api.ts";
import type { Log } from "../ports/log.ts";
import type { WebHandler } from "../ports/web.ts";

/**
 * The control API on the socket. Its code, a fifth of an idle node's memory, is loaded when somebody asks for the first
 * time.
 */
export function controlHandler(
  parts: ConstructorParameters<typeof ControlApi>[0] & { readonly log: Log },
): WebHandler {
  let loading: Promise<ControlApi> | undefined;
  return async (request, context) => {
    loading ??= import("../hub/control-api.ts").then((loaded) => new loaded.ControlApi(parts));
    try {
      return await (await loading).handle(request, context);
    } catch (error) {
      // Another version was installed in the place of the one that runs.
      parts.log.error("the control API cannot be loaded", { error: String(error) });
      return new Response("The program was replaced: everseed daemon restart.\n", { status: 500 });
    }
  };
}
