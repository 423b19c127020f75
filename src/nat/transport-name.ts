/** What a mapping carries. */
export type MappedTransport = "tcp" | "udp";

/** As the names of IP protocols are spelled for people, and in UPnP. */
export function upperName(transport: MappedTransport): "TCP" | "UDP" {
  return transport === "tcp" ? "TCP" : "UDP";
}
