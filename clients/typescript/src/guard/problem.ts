// What a refused browser or program is told: which, and nothing more (RFC 9457). The reasons behind it are for the application's logs.

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** Every refusal there is. The codes are stable. */
const problems = {
  malformed: { status: 400, title: 'The request lacks what this needs, or holds it in another form.' },
  credential_ambiguous: { status: 400, title: 'More than one credential was sent.' },
  credential_missing: { status: 401, title: 'Log in, or send a token or an API key.' },
  credential_invalid: { status: 401, title: 'The session, token or API key is not valid here.' },
  credential_expired: { status: 401, title: 'The session, token or API key has expired.' },
  credential_revoked: { status: 401, title: 'The session, token or API key was revoked.' },
  credential_wrong_audience: { status: 401, title: 'The token is for another service.' },
  invalid_credentials: { status: 401, title: 'The name or the password is wrong.' },
  code_invalid: { status: 401, title: 'The code is wrong.' },
  code_already_used: { status: 401, title: 'The code was used before. Wait for the next one.' },
  password_rejected: { status: 400, title: 'The new password breaks rules.' },
  challenge_expired: { status: 401, title: 'The login took too long. Begin again.' },
  federation_login_unknown: { status: 401, title: 'The login took too long, or was begun elsewhere. Begin again.' },
  federation_provider_refused: { status: 401, title: 'The identity provider refused the login. Begin again.' },
  federation_response_invalid: { status: 401, title: 'The answer of the identity provider is not valid. Begin again.' },
  federation_access_denied: { status: 403, title: 'The login was cancelled, or denied by the identity provider.' },
  federation_provider_disabled: { status: 403, title: 'This identity provider is not in use here.' },
  federation_no_account: { status: 403, title: 'There is no account here for this login.' },
  credential_wrong_network: { status: 403, title: 'The API key may not be used from here.' },
  subject_disabled: { status: 403, title: 'The account is disabled.' },
  csrf_wrong_origin: { status: 403, title: 'The request does not come from a page of this application.' },
  csrf_token_invalid: { status: 403, title: 'The CSRF token is missing, or of another session.' },
  forbidden: { status: 403, title: 'This is not permitted.' },
  credential_rate_limited: { status: 429, title: 'The API key is used too often.' },
  locked: { status: 429, title: 'Too many failed attempts. Wait before the next one.' },
  rate_limited: { status: 429, title: 'Too many attempts. Wait before the next one.' },
  misconfigured: { status: 500, title: 'The application cannot check who you are.' },
  unavailable: { status: 503, title: 'It cannot be checked now whether this is permitted. Try again.' },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problems;

/** The body: `application/problem+json`. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  /** With `password_rejected`: which rules, for example `min_length`. */
  readonly rules?: readonly string[];
}

export function problemOf(code: ProblemCode): Problem {
  return { ...problems[code], code };
}
