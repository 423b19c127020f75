import type { PageValue } from "../config/page-settings.ts";
import { ProxyError } from "../proxy/proxy-error.ts";
import { parseProxyUrl, proxyName } from "../proxy/proxy-url.ts";

/** @returns Why the page does not take this proxy; `undefined` when it does. Nothing of the text is repeated (rule 10). */
export function judgePageProxy(text: string): string | undefined {
  try {
    if (parseProxyUrl(text).login === undefined) return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error.message;
    throw error;
  }
  return "a name and password are not kept here, where every administrator reads them. Write the key engine.proxy into the configuration file.";
}

/** What page and API show of a proxy that the file, a variable or a flag gives: never its login (rule 10). */
export function withoutLogin(value: PageValue | undefined): PageValue | undefined {
  if (typeof value !== "string") return value;
  try {
    return proxyName(parseProxyUrl(value));
  } catch (error) {
    if (error instanceof ProxyError) return "";
    throw error;
  }
}
