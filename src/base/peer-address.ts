import { addressBytes, type Endpoint, formatEndpoint } from "./endpoint.ts";

/** A peer that has an IP address and a port. */
export interface EndpointAddress<Kind extends "tcp" | "utp" = "tcp" | "utp"> {
  readonly kind: Kind;
  readonly endpoint: Endpoint;
}

/** A peer that somebody has to introduce. Its IP address is not known, and none that it claims is believed. */
export interface WebrtcAddress {
  readonly kind: "webrtc";
  /** Names the peer at whoever introduces it. From outside: escape where it is shown. */
  readonly id: string;
  /** The URL of the tracker that introduces it. */
  readonly via: string;
}

interface AddressByKind {
  readonly tcp: EndpointAddress<"tcp">;
  readonly utp: EndpointAddress<"utp">;
  readonly webrtc: WebrtcAddress;
}

/** What carries a connection between peers. */
export type TransportKind = keyof AddressByKind;

/** Where one connection leads, or comes from. */
export type PeerAddress<Kind extends TransportKind = TransportKind> = AddressByKind[Kind];

/** The address of a peer that listens for TCP. */
export function tcpAddress(endpoint: Endpoint): EndpointAddress<"tcp"> {
  return { kind: "tcp", endpoint };
}

/** The same, of all of them. */
export function tcpAddresses(endpoints: readonly Endpoint[]): EndpointAddress<"tcp">[] {
  return endpoints.map(tcpAddress);
}

/** Names a peer that can be dialled: the same for one port over TCP and over uTP, which lead to one program. */
export function addressKey(address: PeerAddress): string {
  switch (address.kind) {
    case "tcp":
    case "utp":
      return formatEndpoint(address.endpoint);
    case "webrtc":
      return webrtcName(address);
  }
}

/**
 * Names what a ban holds: the IP address, whatever transport and port it uses, so that a banned peer does not come back
 * over another one. A WebRTC peer has none that we know: there it is the peer.
 */
export function banKey(address: PeerAddress): string {
  return ipOf(address) ?? addressKey(address);
}

/**
 * Names the network whose members share connections: what one customer usually gets, an IPv4 /24 or an IPv6 /48. WebRTC
 * peers of one introducer are one network, so that it cannot fill all places with peers that it invents.
 *
 * @returns `undefined` when the IP address is none.
 */
export function networkKey(address: PeerAddress): string | undefined {
  switch (address.kind) {
    case "tcp":
    case "utp": {
      const bytes = addressBytes(address.endpoint.address);
      if (!bytes) return undefined;
      return bytes.length === 4
        ? bytes.subarray(0, 3).join(".")
        : `6:${bytes.subarray(0, 6).join(".")}`;
    }
    case "webrtc":
      return `webrtc:${address.via}`;
  }
}

/** Names the machine of a peer, whatever its port: an IPv4 address, the /64 of an IPv6 address, or one WebRTC peer. */
export function machineKey(address: PeerAddress): string {
  const ip = ipOf(address);
  const bytes = ip === undefined ? undefined : addressBytes(ip);
  if (!bytes) return addressKey(address);
  return bytes.length === 4 ? bytes.join(".") : `6:${bytes.subarray(0, 8).join(".")}`;
}

/** @returns The IP address as text; `undefined` when the peer has none. */
export function ipOf(address: PeerAddress): string | undefined {
  switch (address.kind) {
    case "tcp":
    case "utp":
      return address.endpoint.address;
    case "webrtc":
      return undefined;
  }
}

/** For logs and people: `1.2.3.4:80` over TCP, which is the usual way, `utp:1.2.3.4:80`, `webrtc:ID@TRACKER`. */
export function formatPeerAddress(address: PeerAddress): string {
  switch (address.kind) {
    case "tcp":
      return formatEndpoint(address.endpoint);
    case "utp":
      return `utp:${formatEndpoint(address.endpoint)}`;
    case "webrtc":
      return webrtcName(address);
  }
}

/** An id with an `@` in it cannot pass for the id of another introducer. */
function webrtcName({ id, via }: WebrtcAddress): string {
  return `webrtc:${encodeURIComponent(id.toWellFormed())}@${via}`;
}
