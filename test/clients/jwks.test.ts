import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SigningAlgorithm, TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { freePort } from '../support/mongo-server/free-port.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { fetched, needs, pythonWith, ROOT, run } from './tool.ts';

// JWT libraries of other languages, each pointed at one issuer: they accept its token, and refuse what was altered, is for another
// audience, or is of another tenant, whose issuer has other keys.

const SUBJECT = 'batch';
/** Beside the default tenant, which signs with ES256. */
const OTHERS = [
  { tenant: 'rsa', signingAlgorithm: SigningAlgorithm.RS256, alg: 'RS256' },
  { tenant: 'ed', signingAlgorithm: SigningAlgorithm.EDDSA, alg: 'EdDSA' },
] as const;
let service: ServiceProcess;
let issuer = '';
let tokens: readonly string[] = [];

before(async () => {
  // The issuer names the port, so it must be known before the start.
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  service = await startService({
    env: { ...cheapHashes, SALLYPORT_HTTP_ADDRESS: `127.0.0.1:${port}`, SALLYPORT_ISSUER: issuer },
  });
  const settings = { key: service.adminKey };
  const tenants = grpcClient(TenantService, service.grpc, settings);
  await tenants.createTenant({ tenant: 'acme' });
  for (const { tenant, signingAlgorithm } of OTHERS)
    await tenants.createTenant({ tenant, settings: { signingAlgorithm } });
  tenants.close();
  const own = await issue('default', 'reports');
  tokens = [own, `${own.slice(0, -6)}AAAAAA`, await issue('default', 'billing'), await issue('acme', 'reports')];
});
after(() => service.stop());

async function issue(tenant: string, audience: string): Promise<string> {
  const client = grpcClient(TokenService, service.grpc, { key: service.adminKey });
  const { outcome } = await client.issueTokens({
    tenant,
    proof: { case: 'subject', value: { type: 'service', id: SUBJECT } },
    options: { audience: [audience] },
  });
  client.close();
  assert.ok(outcome.case === 'tokens');
  return outcome.value.accessToken;
}

const environment = (of: string, given: readonly string[]) => ({
  ISSUER: of,
  AUDIENCE: 'reports',
  TOKENS: JSON.stringify(given),
});

const EXPECTED = [SUBJECT, 'refused', 'refused', 'refused'];

/** What the verifier says of the tokens at the default issuer, and at the issuer of each other algorithm of its own and the default tenant's. */
async function checkVerdicts(verify: (env: Readonly<Record<string, string>>) => Promise<string>): Promise<void> {
  assert.deepEqual(JSON.parse(await verify(environment(issuer, tokens))), EXPECTED);
  const [own = ''] = tokens;
  for (const { tenant, alg } of OTHERS) {
    const token = await issue(tenant, 'reports');
    assert.equal(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg, alg);
    const given = [token, `${token.slice(0, -6)}AAAAAA`, await issue(tenant, 'billing'), own];
    assert.deepEqual(JSON.parse(await verify(environment(`${issuer}/t/${tenant}`, given))), EXPECTED, alg);
  }
}

test('PyJWT accepts a token from its own issuer and refuses one of another tenant', async (context) => {
  if (!(await needs(context, 'python3', ['--version']))) return;
  const folder = join(import.meta.dirname, 'jwks', 'python');
  const python = await pythonWith('python-jwks', join(folder, 'requirements.txt'));
  await checkVerdicts(async (env) => (await run(python, [join(folder, 'verify.py')], { env })).stdout);
});

test('go-oidc accepts a token from its own issuer and refuses one of another tenant', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  using dir = tempDir();
  await cp(join(import.meta.dirname, 'jwks', 'go'), dir.path, { recursive: true });
  const options = { cwd: dir.path };
  await fetched('go', ['build', '-o', 'verify', '.'], { ...options, env: { GOFLAGS: '-mod=mod' } });
  await checkVerdicts(async (env) => (await run(join(dir.path, 'verify'), [], { ...options, env })).stdout);
});

test('Nimbus (Java) accepts a token from its own issuer and refuses one of another tenant', async (context) => {
  if (!(await needs(context, 'java', ['-version']))) return;
  if (!(await needs(context, 'mvn', ['-version']))) return;
  const folder = join(import.meta.dirname, 'jwks', 'java');
  const jars = await jarsOf(join(folder, 'pom.xml'));
  const args = ['-cp', join(jars, '*'), join(folder, 'Verify.java')];
  await checkVerdicts(async (env) => (await run('java', args, { env })).stdout);
});

/** Fetched once per version of the file. */
async function jarsOf(pom: string): Promise<string> {
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const folder = join(ROOT, '.cache', 'clients', `jwks-java-${version}`);
  if (existsSync(folder)) return folder;
  const own = `${folder}-${process.pid}`;
  await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${own}`]);
  renameSync(own, folder);
  return folder;
}
