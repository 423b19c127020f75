/** Writes an address as the host of a URL. */
export function asHostName(address: string): string {
  const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, "").toLowerCase();
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** True for a loopback address. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  return plain === "::1" || /^127\.[0-9.]+$/.test(plain);
}
