import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { tempDir } from './temp-dir.ts';
import { createTestAuthority } from './test-certificates.ts';

// An OpenID provider over https that is honest until a test gives it mischief: for what a real provider (real-provider.ts) cannot be made to
// do. It keeps to the protocol where that protects the tests: codes work once, for their client, redirect URI and PKCE verifier.

export interface Person {
  readonly sub: string;
  /** True: everything but `sub` is at the userinfo endpoint alone. */
  readonly userinfoOnly?: boolean;
  readonly [claim: string]: unknown;
}

/** What it does instead of the right thing. */
export interface Mischief {
  readonly discovery?: (document: Readonly<Record<string, unknown>>) => object;
  readonly claims?: (claims: JWTPayload) => JWTPayload;
  /** The whole ID token. */
  readonly token?: (claims: JWTPayload) => Promise<string> | string;
  /** Of the callback. */
  readonly callback?: (parameters: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Answers a path itself. */
  readonly answer?: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>>;
  /** Of the keys that it publishes. */
  readonly kid?: string;
}

export interface ScriptedProvider extends AsyncDisposable {
  readonly issuer: string;
  /** PEM of who signed its certificate. */
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  mischief: Mischief;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** What the browser brings back when this person logs in at an authorization URL. */
  login(authorizationUrl: string, person: Person): ReadonlyMap<string, string>;
}

interface Code {
  readonly person: Person;
  readonly asked: URLSearchParams;
}

const CLIENT_ID = 'sallyport';
const CLIENT_SECRET = 'a+b c/d%e';

export async function startScriptedProvider(): Promise<ScriptedProvider> {
  const dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const { certFile, keyFile } = authority.sign('provider', 'provider');
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = await generateKeyPair('ES256', { extractable: true });
  const asked: string[] = [];
  const state: State = { issuer, keys, codes: new Map(), people: new Map(), mischief: () => provider.mischief };
  const provider: ScriptedProvider = {
    issuer,
    ca: authority.ca.toString(),
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    mischief: {},
    asked,
    login: (authorizationUrl, person) => {
      const query = new URL(authorizationUrl).searchParams;
      const code = randomUUID();
      state.codes.set(code, { person, asked: query });
      const honest = { code, state: query.get('state') ?? '', iss: issuer };
      return new Map(Object.entries(provider.mischief.callback?.(honest) ?? honest));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      dir[Symbol.dispose]();
    },
  };
  server.on('request', (request, response) => {
    asked.push(request.url ?? '');
    void answer(state, request, response);
  });
  return provider;
}

interface State {
  readonly issuer: string;
  readonly keys: GenerateKeyPairResult;
  readonly codes: Map<string, Code>;
  /** By access token. */
  readonly people: Map<string, object>;
  readonly mischief: () => Mischief;
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const mischief = state.mischief();
  const path = request.url ?? '';
  const send = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const own = mischief.answer?.[path];
  if (own !== undefined) return own(request, response);
  switch (path) {
    case '/.well-known/openid-configuration': {
      const document = discoveryOf(state.issuer);
      return send(200, mischief.discovery?.(document) ?? document);
    }
    case '/jwks': {
      const jwk = await exportJWK(state.keys.publicKey);
      return send(200, { keys: [{ ...jwk, alg: 'ES256', use: 'sig', kid: 'k1' }] });
    }
    case '/token':
      return send(...(await tokenAnswer(state, request)));
    case '/userinfo': {
      const person = state.people.get((request.headers.authorization ?? '').replace('Bearer ', ''));
      return send(person === undefined ? 401 : 200, person ?? {});
    }
    default:
      send(404, {});
  }
}

function discoveryOf(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
    authorization_response_iss_parameter_supported: true,
  };
}

async function tokenAnswer(state: State, request: IncomingMessage): Promise<readonly [number, object]> {
  const { issuer, codes, people, keys } = state;
  const mischief = state.mischief();
  const form = new URLSearchParams(await text(request));
  const code = codes.get(form.get('code') ?? '');
  codes.delete(form.get('code') ?? '');
  if (!isClient(request.headers.authorization)) return [401, { error: 'invalid_client' }];
  if (code === undefined || !isFor(code, form)) return [400, { error: 'invalid_grant' }];
  const now = Math.floor(Date.now() / 1000);
  const { userinfoOnly, ...said } = code.person;
  const honest: JWTPayload = {
    ...(userinfoOnly === true ? { sub: said.sub } : said),
    iss: issuer,
    aud: CLIENT_ID,
    iat: now,
    exp: now + 300,
    nonce: code.asked.get('nonce') ?? '',
  };
  const claims = mischief.claims?.(honest) ?? honest;
  const header = { alg: 'ES256', kid: mischief.kid ?? 'k1' };
  const signed = mischief.token?.(claims) ?? new SignJWT(claims).setProtectedHeader(header).sign(keys.privateKey);
  const accessToken = randomUUID();
  people.set(accessToken, said);
  return [200, { access_token: accessToken, token_type: 'Bearer', id_token: await signed }];
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function isClient(authorization: string | undefined): boolean {
  const [id = '', secret = ''] = Buffer.from((authorization ?? '').replace('Basic ', ''), 'base64')
    .toString()
    .split(':');
  const decoded = [id, secret].map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  return decoded[0] === CLIENT_ID && decoded[1] === CLIENT_SECRET;
}

function isFor({ asked }: Code, form: URLSearchParams): boolean {
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  return (
    asked.get('response_type') === 'code' &&
    asked.get('client_id') === CLIENT_ID &&
    asked.get('code_challenge_method') === 'S256' &&
    asked.get('code_challenge') === challenge &&
    asked.get('redirect_uri') === form.get('redirect_uri')
  );
}
