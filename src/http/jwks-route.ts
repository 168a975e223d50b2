import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../domain/errors.ts';
import type { KeyUseCases } from '../domain/keys/use-cases.ts';
import { DEFAULT_TENANT } from '../domain/tenant/tenant.ts';
import { Fault } from '../platform/faults.ts';
import { answerJson } from './http-listener.ts';

// Public keys of a tenant's issuer (RFC 7517), where RFC 8414 metadata will point: any JWT library can verify our tokens from here.

const ROUTE = /^(?:\/t\/([a-z][a-z0-9-]{0,62}))?\/\.well-known\/jwks\.json$/;
/** Keys change by rotation only, and the next key is published long before it signs. */
const MAX_AGE_SECONDS = 300;
/** Longest wait for the store, ms. */
const DEADLINE_MS = 10_000;

/** The tenant whose keys this path names; undefined: another route. */
export function jwksTenant(path: string): string | undefined {
  const match = ROUTE.exec(path);
  return match === null ? undefined : (match[1] ?? DEFAULT_TENANT);
}

export async function serveJwks(
  keys: Pick<KeyUseCases, 'jwks'>,
  tenant: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const set = await keys.jwks(tenant, AbortSignal.timeout(DEADLINE_MS));
    const etag = `"${createHash('sha256').update(JSON.stringify(set)).digest('base64url').slice(0, 22)}"`;
    const headers = {
      etag,
      'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
      // Browser applications verify tokens too; the keys are public.
      'access-control-allow-origin': '*',
    };
    if (request.headers['if-none-match']?.split(/, */).includes(etag) === true) {
      response.writeHead(304, headers).end();
      return;
    }
    answerJson(response, 200, set, headers);
  } catch (error) {
    if (error instanceof DomainError && error.reason === 'TENANT_NOT_FOUND') {
      answerJson(response, 404, { error: 'there is no such tenant' }, NO_STORE);
    } else if (error instanceof Fault || error instanceof DomainError) {
      answerJson(
        response,
        503,
        { error: 'the keys cannot be read now; try again' },
        { ...NO_STORE, 'retry-after': '1' },
      );
    } else throw error;
  }
}

const NO_STORE = { 'cache-control': 'no-store' } as const;
