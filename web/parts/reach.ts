/** True for an address that each machine takes for itself (RFC 6761, RFC 1122): a link to it works nowhere else. */
export function meansThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(127\.[\d.]+|\[::1\]|localhost|.+\.localhost)$/.test(hostname);
}
