import type { RequestMatch } from '../tcp-proxy.ts';

/** Matches requests of the driver by the name of their command: the first element of the body, an int32 or a string (OP_MSG). */
export function command(...names: readonly string[]): RequestMatch {
  return (bytes) => names.some((name) => bytes.includes(`\u0002${name}\0`) || bytes.includes(`\u0010${name}\0`));
}

/** The commands by which the store writes. */
export const anyWrite: RequestMatch = command('insert', 'update', 'findAndModify', 'delete');
