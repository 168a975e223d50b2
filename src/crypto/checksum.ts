import { crc32 } from 'node:zlib';
import { base62 } from './base62.ts';

/** CRC-32 (ISO 3309) of the text, as six base62 characters: catches a key that was cut or mistyped before anything is looked up. */
export function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return base62(bytes, 6);
}
