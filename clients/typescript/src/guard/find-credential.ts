import { cookieOf, type GuardSettings, type IncomingRequest } from './incoming-request.ts';
import { Refusal } from './refusal.ts';

/** What a request came with, not judged yet. */
export type Credential =
  | { readonly kind: 'session'; readonly text: string }
  | { readonly kind: 'accessToken'; readonly text: string }
  | { readonly kind: 'apiKey'; readonly text: string };

const BEARER = /^bearer(?: +(.*))?$/i;
/** No credential of Sallyport is longer, or has other characters. What cannot be one is refused without asking. */
const FORM = /^[\x21-\x7e]{1,8192}$/;

/**
 * The credential of a request; undefined: it has none. A header goes before the cookie, because only the application's own pages can set one.
 * @throws Refusal when there are two, or one that cannot be one
 */
export function findCredential(request: IncomingRequest, settings: GuardSettings): Credential | undefined {
  const bearer = BEARER.exec(request.header('authorization')?.trim() ?? '');
  const apiKey = request.header('x-api-key')?.trim();
  if (bearer !== null && apiKey !== undefined) throw new Refusal('credential_ambiguous');
  if (apiKey !== undefined) return checked({ kind: 'apiKey', text: apiKey });
  if (bearer !== null) {
    const text = bearer[1] ?? '';
    return checked({ kind: text.startsWith('sk_') ? 'apiKey' : 'accessToken', text });
  }
  const text = cookieOf(request, settings.cookieName);
  return text === undefined ? undefined : checked({ kind: 'session', text });
}

function checked(credential: Credential): Credential {
  if (!FORM.test(credential.text)) throw new Refusal('credential_invalid');
  return credential;
}
