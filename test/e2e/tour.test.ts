import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
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

async function tour(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [TOUR, ...args], {
    env: { ...process.env, ...cheapHashes },
    timeout: 60_000,
  });
  return stdout;
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
  const printed = await tour(['--address', '127.0.0.1:1', '--key-file', join(dir.path, 'none')]);
  assert.match(printed, /a temporary server/);
  assertStory(printed);
});

test('the tour tells it against a running server, as often as one likes', async (t) => {
  const service = await startService({ env: cheapHashes });
  t.after(() => service.stop());
  const args = ['--address', service.grpc, '--key-file', join(service.dataDir, 'admin.key')];
  for (let visit = 0; visit < 2; visit += 1) {
    const printed = await tour(args);
    assert.match(printed, /the server that runs at/);
    assertStory(printed);
  }
});
