import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cheapHashes, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';

// `npm run tour`, whose answers are what a newcomer sees first.

const TOUR = join(import.meta.dirname, '../../examples/tour/tour.ts');

/** In the order of the story: a sentence's beginning, and what must stand in the answer below it. */
const story: readonly (readonly [sentence: string, answer: RegExp])[] = [
  ['CreateUser', /user_id +\S+/],
  ['Authenticate with a wrong password', /REJECTION_REASON_INVALID_CREDENTIALS/],
  ['Authenticate with the right one', /authenticated/],
  ['EnrollTotp', /enrollment/],
  ['ConfirmTotp', /confirmation/],
  ['Authenticate again', /challenge[\s\S]*TOTP/],
  ['VerifyTotp with a code that was used', /REJECTION_REASON_CODE_ALREADY_USED/],
  ['VerifyTotp with the next one', /authenticated/],
  ['IssueTokens', /access_token[\s\S]*refresh_token/],
  ['VerifyToken', /active +true/],
  ['RotateRefresh: the next pair', /refresh_token/],
  ['RotateRefresh again', /refresh_token/],
  ['RotateRefresh with the very first one', /REJECTION_REASON_REFRESH_REUSED/],
  ['So the whole session is over', /REJECTION_REASON_SESSION_REVOKED/],
  ['ApplyPolicy', /tour-editor/],
  ['WriteGrants', /revision/],
  ['Authorize: may our user read document 42', /EFFECT_ALLOW[\s\S]*DECISION_REASON_GRANTED/],
  ['Authorize: and delete it', /EFFECT_DENY/],
  ['Authorize: and read document 43', /EFFECT_DENY[\s\S]*DECISION_REASON_NO_MATCH/],
  ['CreateApiKey', /sk_live_/],
  ['VerifyApiKey', /EFFECT_ALLOW/],
  ['RevokeApiKey', /DECISION_REASON_CREDENTIAL_REVOKED/],
];

const environment = { ...process.env, ...cheapHashes };

async function tour(args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [TOUR, ...args], {
    env: environment,
    timeout: 60_000,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return stdout;
}

/** Exit code and standard error of a tour that is refused. */
async function refused(args: readonly string[]): Promise<{ readonly code: unknown; readonly stderr: string }> {
  try {
    await tour(args);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    return { code, stderr: stderr ?? '' };
  }
  return assert.fail('it was not refused');
}

function assertStory(printed: string): void {
  const steps = printed.split(/\n(?= ?\d+\. )/).slice(1);
  for (const [sentence, answer] of story) {
    const step = steps.shift() ?? assert.fail(`the tour ended before: ${sentence}`);
    assert.ok(step.includes(`. ${sentence}`), `instead of "${sentence}":\n${step}`);
    assert.match(step, answer);
  }
  assert.deepEqual(steps, []);
}

test('the tour tells its whole story against a temporary server', async () => {
  using dir = tempDir();
  const printed = await tour([], dir.path);
  assert.match(printed, /a temporary server/);
  assert.doesNotMatch(printed, /It leaves on this server/);
  assertStory(printed);
});

test('the tour tells it against a running server, as often as one likes, and says what it leaves there', async (t) => {
  const service = await startService({ env: cheapHashes });
  t.after(() => service.stop());
  const call = async (method: string, body: unknown): Promise<Record<string, Record<string, unknown>>> => {
    const response = await fetch(`http://${service.http}/sallyport.v1.PolicyService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${service.adminKey}` },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Record<string, Record<string, unknown>>;
  };
  const own = {
    roles: [{ name: 'mine', permissions: ['things:read'] }],
    resourceTypes: [{ name: 'thing' }],
    rules: [{ name: 'open', effect: 'EFFECT_ALLOW', permissions: ['things:read'], resourceType: 'thing' }],
  };
  await call('ApplyPolicy', { policy: own });
  const args = ['--address', service.grpc, '--key-file', join(service.dataDir, 'admin.key')];
  for (let visit = 0; visit < 2; visit += 1) {
    const printed = await tour(args);
    assert.match(printed, /the server that runs at/);
    const [story, left = ''] = printed.split('It leaves on this server');
    assertStory(story ?? '');
    assert.match(left, /the user tour-\d+@example\.com/);
  }
  const { policy = {} } = await call('GetPolicy', {});
  const names = (kind: string) => (policy[kind] as readonly { name: string }[]).map(({ name }) => name).sort();
  assert.deepEqual(names('roles'), ['mine', 'tour-editor', 'tour-viewer']);
  assert.deepEqual([names('rules'), names('resourceTypes')], [['open'], ['thing']]);
});

test('the tour says in one line what is wrong with its options, the server or the key', async (t) => {
  using dir = tempDir();
  const service = await startService({ env: cheapHashes });
  t.after(() => service.stop());
  const wrongKey = join(dir.path, 'wrong.key');
  writeFileSync(wrongKey, `${service.adminKey.slice(0, -1)}\n`);
  const refusals: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['--adress', 'x'], /--adress/],
    [['--address', 'localhost'], /host:port/],
    [['--address', '127.0.0.1:1'], /no server answers at 127\.0\.0\.1:1 /],
    [['--address', service.grpc, '--key-file', join(dir.path, 'none')], /there is no key file/],
    [['--address', service.grpc, '--key-file', wrongKey], /Unauthenticated: the API key is not valid/],
  ];
  for (const [args, said] of refusals) {
    const { code, stderr } = await refused(args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, said);
    assert.match(stderr, /^tour: [^\n]+\n$/);
  }
  assert.match(await tour(['--help']), /--address <host:port>[\s\S]*--key-file <file>/);
});

const interruptions: readonly (readonly [name: string, interrupt: (tour: ChildProcess) => void, code: number])[] = [
  ['SIGINT', (child) => child.kill('SIGINT'), 130],
  ['SIGTERM', (child) => child.kill('SIGTERM'), 143],
  ['a reader that goes away', (child) => child.stdout?.destroy(), 0],
];

for (const [name, interrupt, code] of interruptions) {
  test(`interrupted by ${name}, the tour takes its server and the keys with it`, async () => {
    using tmp = tempDir();
    const child = spawn(process.execPath, [TOUR], {
      cwd: tmp.path,
      env: { ...environment, TMPDIR: tmp.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await once(child.stdout, 'data');
    assert.equal(readdirSync(tmp.path).length, 1);
    interrupt(child);
    // The server inherits standard error: it is only closed when both processes are gone.
    const [exitCode] = await once(child, 'close');
    assert.deepEqual({ exitCode, stderr, left: readdirSync(tmp.path) }, { exitCode: code, stderr: '', left: [] });
  });
}

test('interrupted while its server starts, the tour leaves nothing either', async () => {
  using tmp = tempDir();
  const watcher = watch(tmp.path);
  const changed = once(watcher, 'change');
  const child = spawn(process.execPath, [TOUR], {
    cwd: tmp.path,
    env: { ...environment, TMPDIR: tmp.path },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.resume();
  await changed;
  watcher.close();
  child.kill('SIGTERM');
  const [exitCode] = await once(child, 'close');
  assert.deepEqual({ exitCode, left: readdirSync(tmp.path) }, { exitCode: 143, left: [] });
});
