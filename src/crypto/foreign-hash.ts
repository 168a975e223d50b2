// Password hashes that come from elsewhere: PHC strings of argon2id, argon2i and scrypt, and bcrypt's own form. They have no pepper and
// a cost that somebody else chose, so each is held against bounds when it is imported and again when it is verified: a forged one must
// be neither a memory bomb nor a busy loop.

export type ForeignHash =
  | { readonly kind: 'argon2'; readonly phc: string }
  /** `hash` with `$2b$`: `$2a$` and `$2y$` name the same computation. */
  | { readonly kind: 'bcrypt'; readonly hash: string }
  | {
      readonly kind: 'scrypt';
      /** N = 2^ln. */
      readonly ln: number;
      readonly r: number;
      readonly p: number;
      readonly salt: Uint8Array;
      readonly digest: Uint8Array;
    };

/** What is taken; a login costs up to this until the hash is made anew. */
export const foreignHashBounds = {
  argon2MemoryKiB: 256 * 1024,
  argon2Passes: 16,
  argon2Lanes: 16,
  bcryptCost: { least: 4, most: 14 },
  scryptMemoryBytes: 256 * 1024 * 1024,
  scryptLanes: 16,
  /** N * r * p. */
  scryptWork: 2 ** 22,
} as const;

const ARGON2 =
  /^\$argon2(?:id|i)\$v=(?:16|19)\$(?=[^$]*m=(\d{1,7})[,$])(?=[^$]*t=(\d{1,3})[,$])(?=[^$]*p=(\d{1,3})[,$])[mtp]=\d+,[mtp]=\d+,[mtp]=\d+\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{22,128})$/;

/** Undefined unless it is one of the forms within their bounds. */
export function parseForeignHash(text: string): ForeignHash | undefined {
  return argon2(text) ?? bcrypt(text) ?? scrypt(text);
}

function argon2(text: string): ForeignHash | undefined {
  const [matched, memory, passes, lanes] = ARGON2.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const [m, t, p] = [Number(memory), Number(passes), Number(lanes)];
  const { argon2MemoryKiB, argon2Passes, argon2Lanes } = foreignHashBounds;
  const fits = within(p, 1, argon2Lanes) && within(t, 1, argon2Passes) && within(m, 8 * p, argon2MemoryKiB);
  return fits ? { kind: 'argon2', phc: text } : undefined;
}

function bcrypt(text: string): ForeignHash | undefined {
  const [matched, cost] = BCRYPT.exec(text) ?? [];
  const { least, most } = foreignHashBounds.bcryptCost;
  if (matched === undefined || !within(Number(cost), least, most)) return undefined;
  return { kind: 'bcrypt', hash: `$2b${text.slice(3)}` };
}

function scrypt(text: string): ForeignHash | undefined {
  const [, lnText, rText, pText, salt, digest] = SCRYPT.exec(text) ?? [];
  if (salt === undefined || digest === undefined) return undefined;
  const [ln, r, p] = [Number(lnText), Number(rText), Number(pText)];
  const { scryptMemoryBytes, scryptLanes, scryptWork } = foreignHashBounds;
  const fits =
    within(ln, 1, 24) &&
    within(r, 1, 256) &&
    within(p, 1, scryptLanes) &&
    128 * 2 ** ln * r <= scryptMemoryBytes &&
    2 ** ln * r * p <= scryptWork;
  if (!fits) return undefined;
  return { kind: 'scrypt', ln, r, p, salt: Buffer.from(salt, 'base64'), digest: Buffer.from(digest, 'base64') };
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
