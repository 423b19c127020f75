import { encode } from "uqr";
import type { QrCode } from "../api/pages.ts";

/** The QR code of an address as one path of squares; runs of dark modules are one rectangle. */
export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { border: 0, ecc: "M" });
  let path = "";
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x += 1;
      const width = x + 1 - start;
      path += `M${start} ${y}h${width}v1h-${width}z`;
    }
  }
  return { size, path };
}
