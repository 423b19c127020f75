/** An address as it stands in a URL. */
export function asHostName(address: string): string {
  const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, "").toLowerCase();
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** True for an address of this machine that leads nowhere else. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  return plain === "::1" || /^127\.[0-9.]+$/.test(plain);
}
