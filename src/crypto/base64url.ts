// RFC 4648 section 5 without padding, and only its one canonical text: a token with changed trailing bits or with white space in it
// would otherwise be a second name of the same token, unknown to every cache and revocation by digest.

/** The bytes, or undefined unless `text` is exactly what encoding them gives. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
