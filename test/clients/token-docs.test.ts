import assert from 'node:assert/strict';
import { delimiter, dirname, join } from 'node:path';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { bothStores } from '../support/both-stores.ts';
import { pageCommands } from '../support/page-commands.ts';
import { addPerson, PASSWORD, proofOf } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { grpcurlBinary, grpcurlCall } from './grpcurl.ts';
import type { JsonAnswer } from './six-calls-by-json.ts';
import { needs, run } from './tool.ts';

// Tokens, sessions and API keys from a terminal: the commands of their pages as they stand there, in their order, by bash and grpcurl; then the
// methods that no page shows, so that every one of the three services was called.

const PAGES = ['tokens.md', 'sessions.md', 'api-keys.md'];
const ENDLESS = 'TokenService/WatchRevocations';

/** The first string of that name in an answer. */
function textOf(answer: object, name: string): string | undefined {
  return new RegExp(`"${name}":"([^"]+)"`).exec(JSON.stringify(answer))?.[1];
}

/** What a reader has to fill in, and what fills it. The answers bring more. */
async function firstKnown(service: ServiceProcess): Promise<Map<string, string>> {
  const userId = await addPerson(service, 'ada');
  const issued = await grpcurlCall(service)('TokenService/IssueTokens', {
    subject: { type: 'user', id: userId },
    options: { audience: ['shop'], scopes: ['invoices:*'] },
  });
  return new Map([
    ['"password": "..."', `"password": ${JSON.stringify(PASSWORD)}`],
    ['<the cookie that came with the login, if any>', ''],
    ['<user id>', userId],
    ['at_...', await proofOf(service, 'ada')],
    ['<access token of the user, with audience shop>', textOf(issued, 'accessToken') ?? ''],
  ]);
}

function learn(known: Map<string, string>, method: string, answer: JsonAnswer): void {
  const learned = [
    ['sk_live_...', method === 'ApiKeyService/CreateApiKey' ? textOf(answer, 'apiKey') : undefined],
    ['ss_...', textOf(answer, 'sessionToken')],
    ['<from the page>', textOf(answer, 'csrfToken')],
    ['<session id>', textOf(answer, 'sessionId')],
    ['<id of the key that is SIGNING_KEY_STATUS_ACTIVE>', activeKey(answer)],
  ] as const;
  for (const [place, value] of learned) if (value !== undefined) known.set(place, value);
}

function activeKey({ keys }: JsonAnswer): string | undefined {
  const each = Array.isArray(keys) ? (keys as { readonly id: string; readonly status: string }[]) : [];
  return each.find(({ status }) => status === 'SIGNING_KEY_STATUS_ACTIVE')?.id;
}

/** Commands of a page, each by itself. */
function statements(page: string): readonly string[] {
  const blocks = pageCommands(`docs/${page}`);
  return blocks.flatMap((block) => block.split(/^(?=ask |[A-Z_]+=)/m)).filter((each) => each.trim() !== '');
}

async function runPages(service: ServiceProcess): Promise<ReadonlySet<string>> {
  const known = await firstKnown(service);
  const path = [dirname(await grpcurlBinary()), process.env['PATH']].join(delimiter);
  const called = new Set<string>();
  for (const page of PAGES) {
    let before = '';
    for (const statement of statements(page)) {
      const filled = [...known].reduce((text, [place, value]) => text.replaceAll(place, value), statement);
      const here: string = filled
        .replace('data/admin.key', join(service.dataDir, 'admin.key'))
        .replace('127.0.0.1:50051', service.grpc);
      const method = /^ask (\S+)/.exec(here)?.[1];
      if (method === undefined) {
        if (!/^(npm|GET)\b/.test(here)) before += `${here}\n`;
        continue;
      }
      const answer = await answerTo(`${before}${here}`, method, path);
      assert.ok(!('rejection' in answer), `${page}: ${statement}${JSON.stringify(answer)}`);
      if (method.endsWith('VerifySession')) assert.equal(answer['active'], true, JSON.stringify(answer));
      if (method.endsWith('VerifyApiKey')) assert.match(JSON.stringify(answer), /EFFECT_ALLOW/);
      learn(known, method, answer);
      called.add(method);
    }
  }
  return called;
}

/** The answer; of an endless stream, how it began. A rotation comes again while the next key was not published for long enough. */
async function answerTo(script: string, method: string, path: string): Promise<JsonAnswer> {
  const bash = (text: string) => run('bash', ['-c', text], { env: { PATH: path } });
  if (method === ENDLESS) {
    const cut = await bash(script.replace('grpcurl ', 'grpcurl -max-time 5 ')).catch((error: unknown) => error);
    assert.match((cut as { readonly stdout: string }).stdout, /^\{\s*"snapshot": \{/);
    return {};
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      return JSON.parse((await bash(script)).stdout);
    } catch (error) {
      const isEarly = /FailedPrecondition/.test(String((error as { readonly stderr?: string }).stderr));
      if (!isEarly || attempt === 50) throw error;
    }
  }
}

/** What no page shows as a command. */
async function callTheRest(service: ServiceProcess): Promise<ReadonlySet<string>> {
  const called = new Set<string>();
  const grpcurl = grpcurlCall(service);
  const call = async (method: string, request: object): Promise<JsonAnswer> => {
    called.add(method);
    return grpcurl(method, request);
  };
  const batch = { type: 'service', id: 'batch' };
  const issued = await call('TokenService/IssueTokens', { subject: batch, options: { audience: ['api'] } });
  const accessToken = textOf(issued, 'accessToken') ?? '';
  const refreshToken = textOf(issued, 'refreshToken') ?? '';
  const rotated = await call('TokenService/RotateRefresh', { refreshToken });
  assert.match(textOf(rotated, 'refreshToken') ?? '', /^rt_/);
  assert.equal((await call('TokenService/VerifyToken', { accessToken, audience: 'api' }))['active'], true);
  const keyId = JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString()).kid;
  assert.ok(JSON.stringify(await call('TokenService/GetJwks', {})).includes(`"kid":"${keyId}"`));
  await call('TokenService/RevokeSigningKey', { keyId });
  assert.notEqual((await call('TokenService/VerifyToken', { accessToken }))['active'], true);

  const made = await call('ApiKeyService/CreateApiKey', { owner: batch });
  const id = { keyId: textOf(made, 'id') };
  await call('ApiKeyService/UpdateApiKey', { ...id, updateMask: { paths: ['scopes'] }, scopes: ['reports:*'] });
  assert.match(JSON.stringify(await call('ApiKeyService/GetApiKey', id)), /"scopes":\["reports:\*"\]/);
  assert.ok(JSON.stringify(await call('ApiKeyService/ListApiKeys', {})).includes(`"id":"${id.keyId}"`));
  await call('ApiKeyService/RevokeApiKey', id);
  const judged = await call('ApiKeyService/VerifyApiKey', { apiKey: textOf(made, 'apiKey') });
  assert.match(JSON.stringify(judged), /CREDENTIAL_REVOKED/);
  return called;
}

const onStores = await bothStores();

onStores('the pages on tokens, sessions and API keys run as pasted, and every method by grpcurl', async (place, t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  const service = await place.start({ SALLYPORT_JWKS_CACHE_MS: '1000' });
  const called = new Set([...(await runPages(service)), ...(await callTheRest(service))]);
  const all = [TokenService, SessionService, ApiKeyService].flatMap(({ name, methods }) =>
    methods.map((method) => `${name}/${method.name}`),
  );
  const left = all.filter((method) => !called.has(method));
  assert.deepEqual(left, []);
});
