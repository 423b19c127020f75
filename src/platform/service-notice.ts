import { dlopen } from "node:ffi";

// Of Linux, the same on every processor that we run on.
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;

/** Tells the service manager that started us how we are (sd_notify). */
export type ServiceNotice = (state: string) => void;

/**
 * Opens the way to the service manager. Node cannot send datagrams to Unix sockets, so the C library does.
 *
 * @param path - `NOTIFY_SOCKET`: absolute, or abstract with an @ in front.
 * @returns A function that sends lines such as `READY=1`.
 * @throws What `node:ffi` throws where the C library lacks a function.
 */
export function openServiceNotice(path: string): ServiceNotice {
  const { functions } = dlopen(null, {
    socket: { return: "int32", arguments: ["int32", "int32", "int32"] },
    sendto: {
      return: "int64",
      arguments: ["int32", "buffer", "uint64", "int32", "buffer", "uint32"],
    },
    close: { return: "int32", arguments: ["int32"] },
  });
  const address = socketAddress(path);
  return (state) => {
    const bytes = Buffer.from(state);
    const socket = functions.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (socket < 0) return;
    // Nobody listens, or its queue is full: a service goes on without its manager.
    functions.sendto(
      socket,
      bytes,
      BigInt(bytes.length),
      MSG_DONTWAIT_NOSIGNAL,
      address,
      address.length,
    );
    functions.close(socket);
  };
}

/** A `sockaddr_un`: the family, then the path. An abstract name begins with a zero, and ends where the address ends. */
function socketAddress(path: string): Buffer {
  const isAbstract = path.startsWith("@");
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}
