import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../domain/errors.ts';
import type { JsonWebKeySet, KeyUseCases } from '../domain/keys/use-cases.ts';
import { Fault } from '../platform/faults.ts';
import { answerJson } from './http-listener.ts';
import type { IssuerDocument } from './issuer-routes.ts';

// Public documents of a tenant's issuer: any JWT library can find the keys from `iss` and verify our tokens.

/** Longest wait for the store, ms. */
const DEADLINE_MS = 10_000;

export interface IssuerPorts {
  readonly keys: Pick<KeyUseCases, 'jwks'>;
  /** `iss` of a tenant's tokens. */
  readonly issuerOf: (tenant: string) => string;
  /** How long a verifier may keep a JWKS, ms. A new key is published for that long before it signs. */
  readonly cacheMs: number;
}

export async function serveIssuer(
  ports: IssuerPorts,
  { document, tenant }: { readonly document: IssuerDocument; readonly tenant: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const set = await ports.keys.jwks(tenant, AbortSignal.timeout(DEADLINE_MS));
    const body = document === 'jwks' ? set : metadata(ports.issuerOf(tenant), set);
    const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;
    const headers = {
      etag,
      'cache-control': `public, max-age=${Math.floor(ports.cacheMs / 1000)}`,
      // Browser applications verify tokens too; the keys are public.
      'access-control-allow-origin': '*',
    };
    if (request.headers['if-none-match']?.split(/, */).includes(etag) === true) {
      response.writeHead(304, headers).end();
      return;
    }
    answerJson(response, 200, body, headers);
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

/** RFC 8414 section 2. There are no OAuth endpoints over HTTP, so no response or grant type is offered: tokens come over gRPC. */
function metadata(issuer: string, set: JsonWebKeySet) {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(set.keys.map(({ alg }) => alg))],
  };
}

const NO_STORE = { 'cache-control': 'no-store' } as const;
