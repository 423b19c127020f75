import { addressBytes, type Endpoint } from "../../base/endpoint.ts";
import type { PeerAddress } from "../../base/peer-address.ts";

/** Characters of what names a WebRTC peer and whoever introduces it, together. */
const WEBRTC_NAME_MAX = 1024;

/** @returns Whether the address can be that of a peer. */
export function isDialable(address: PeerAddress): boolean {
  switch (address.kind) {
    case "tcp":
    case "utp":
      return isDialableEndpoint(address.endpoint);
    case "webrtc":
      return address.id.length > 0 && address.id.length + address.via.length <= WEBRTC_NAME_MAX;
  }
}

/** Loopback and local addresses are welcome; addresses that no single machine can have are not. */
function isDialableEndpoint({ address, port }: Endpoint): boolean {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return false;
  const bytes = addressBytes(address);
  if (!bytes) return false;
  const first = bytes[0]!;
  if (bytes.length === 16) {
    return first !== 0xff && bytes.some((byte) => byte !== 0); // multicast, unspecified
  }
  // 0.0.0.0/8 is "this network", from 224 on come multicast, reserved and broadcast addresses.
  return first !== 0 && first < 224;
}
