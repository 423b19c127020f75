import type { MiddlewareHandler } from "hono";
import type { HubEnv } from "./hub-parts.ts";
import { RefusedError } from "./problems.ts";

/**
 * Requires the type of a body that is not JSON. A form of another site can send any bytes, but only under one of
 * three types (HUB-41).
 */
export function takesType(type: string): MiddlewareHandler<HubEnv> {
  return async (c, next) => {
    const given = c.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (given !== type) {
      throw new RefusedError({
        status: 415,
        code: "unsupported",
        message: `This takes a body of type ${type}.`,
      });
    }
    await next();
  };
}
