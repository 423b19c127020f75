/** True for a loopback address (RFC 6761, RFC 1122): a link to it works on no other machine. */
export function meansThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(127\.[\d.]+|\[::1\]|localhost|.+\.localhost)$/.test(hostname);
}
