import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCall } from '../../support/json-call.ts';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport user ...`

const { run, runWith, json, write, read, service, asService } = serviceCommands();

const login = async (identifier: string, password: string): Promise<string> => {
  const answer = await jsonCall(service(), 'AuthenticationService/Authenticate', {
    password: { identifier, password },
  });
  return Object.keys(answer)[0] ?? '';
};

test('a user is made, found by id or identifier, changed, and erased', async () => {
  const made = await runWith(
    { input: ['Correct-Horse-7-Battery'] },
    ...['user', 'create', '--email', 'ada@example.com', '--username', 'ada', '--display-name', 'Ada Lovelace'],
    ...['--metadata', 'crm=1815', '--password', '--json'],
  );
  assert.equal(made.code, 0, made.err);
  const { id, etag } = JSON.parse(made.out);
  assert.equal(await login('ada@example.com', 'Correct-Horse-7-Battery'), 'authenticated');
  for (const name of [id, 'ada@example.com', 'ada']) {
    const [found] = await json('user', 'get', name);
    assert.deepEqual(
      { id: found.id, displayName: found.displayName, metadata: found.metadata, status: found.status },
      { id, displayName: 'Ada Lovelace', metadata: { crm: '1815' }, status: 'USER_STATUS_ACTIVE' },
    );
  }
  assert.match(
    (await run('user', 'get', 'ada')).out,
    /^id +\S+\nstatus +active\ndisplay name +Ada Lovelace\nemail +ada@/,
  );
  const [changed] = await json('user', 'update', 'ada', '--display-name', 'Countess', '--etag', etag);
  assert.equal(changed.displayName, 'Countess');
  const stale = await run('user', 'update', 'ada', '--display-name', 'Late', '--etag', etag);
  assert.equal(stale.code, 5);
  assert.match(stale.err, /^sallyport: .+ \([A-Z_]+, request \S+\)\n$/);

  assert.equal((await run('user', 'disable', 'ada')).code, 0);
  assert.equal(await login('ada', 'Correct-Horse-7-Battery'), 'rejection');
  assert.equal((await run('user', 'enable', 'ada')).code, 0);
  assert.equal(await login('ada', 'Correct-Horse-7-Battery'), 'authenticated');

  const unasked = await run('user', 'delete', 'ada');
  assert.equal(unasked.code, 2);
  assert.match(unasked.err, /Erase user \S+ for good.+--yes/);
  const refused = await runWith(answering('n'), 'user', 'delete', 'ada');
  assert.deepEqual([refused.code, refused.err], [1, 'sallyport: nothing was done\n']);
  assert.equal((await runWith(answering('y'), 'user', 'delete', 'ada')).code, 0);
  const gone = await run('user', 'get', 'ada');
  assert.equal(gone.code, 5);
  assert.match(gone.err, /USER_NOT_FOUND/);
});

test('passwords come from standard input, never from an argument', async () => {
  assert.equal((await run('user', 'create', '--email', 'bo@example.com')).code, 0);
  assert.equal(
    (await runWith({ input: ['Another-Horse-8-Battery'] }, 'user', 'set-password', 'bo@example.com')).code,
    0,
  );
  assert.equal(await login('bo@example.com', 'Another-Horse-8-Battery'), 'authenticated');
  const other = { input: ['Different-Horse-8-Battery'] };
  assert.equal((await runWith(other, 'user', 'set-password', 'bo@example.com', '--must-change-password')).code, 0);
  assert.equal(await login('bo@example.com', 'Different-Horse-8-Battery'), 'challenge');
  const empty = await run('user', 'set-password', 'bo@example.com');
  assert.equal(empty.code, 2);
  assert.match(empty.err, /expected on standard input/);
  const typo = await runWith(typing('one', 'other'), 'user', 'set-password', 'bo@example.com');
  assert.match(typo.err, /the two are not the same/);
  const weak = await runWith({ input: ['short'] }, 'user', 'set-password', 'bo@example.com');
  assert.equal(weak.code, 5);
  assert.ok(!weak.err.includes("'short'"), weak.err);
});

test('a password is reset by a token for a verified address', async () => {
  const rows = [
    { rowKey: '1', identifiers: [{ kind: 'IDENTIFIER_KIND_EMAIL', value: 'cy@example.com', verified: true }] },
    { rowKey: '2', identifiers: [{ kind: 'IDENTIFIER_KIND_EMAIL', value: 'no address' }] },
  ];
  write('users.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
  const imported = await run('user', 'import', 'users.jsonl');
  assert.equal(imported.code, 1);
  assert.equal(imported.out, '1 imported, 0 there already, 1 refused\n');
  assert.match(imported.err, /^2: INVALID_ARGUMENT: /);
  assert.deepEqual(
    await json('user', 'reset-token', 'cy@example.com').then(([answer]) => answer.emailAddress),
    'cy@example.com',
  );
  const [{ resetToken }] = await json('user', 'reset-token', 'cy@example.com');
  const reset = await runWith({ input: [resetToken, 'Third-Horse-9-Battery'] }, 'user', 'reset-password');
  assert.equal(reset.code, 0, reset.err);
  assert.equal(await login('cy@example.com', 'Third-Horse-9-Battery'), 'authenticated');
  const again = await runWith({ input: [resetToken, 'Fourth-Horse-9-Battery'] }, 'user', 'reset-password');
  assert.deepEqual([again.code, again.err], [1, 'sallyport: refused: proof_invalid\n']);
  assert.equal((await run('user', 'reset-token', 'nobody@example.com')).code, 1);
});

test('an address is verified by the token for its mail, and may then get a reset', async () => {
  await json('user', 'create', '--email', 'vera@example.com');
  assert.equal((await run('user', 'reset-token', 'vera@example.com')).code, 1, 'not verified yet');
  const [made] = await json('user', 'verification-token', 'vera@example.com', 'vera@example.com');
  assert.equal(made.emailAddress, 'vera@example.com');
  const verified = await runWith({ input: [made.verificationToken] }, 'user', 'verify');
  assert.equal(verified.code, 0, verified.err);
  assert.equal((await run('user', 'reset-token', 'vera@example.com')).code, 0);
  const again = await runWith({ input: [made.verificationToken] }, 'user', 'verify');
  assert.deepEqual([again.code, again.err], [1, 'sallyport: refused: proof_invalid\n']);
  assert.equal((await run('user', 'verification-token', 'vera@example.com', 'other@example.com')).code, 5);
});

test('a lock ends by unlock, a factor by factors remove', async () => {
  const [{ id }] = await json('user', 'create', '--username', 'dee');
  assert.equal((await run('user', 'unlock', 'dee')).code, 0);
  assert.match((await run('user', 'factors', 'remove', 'dee', '--yes')).err, /TOTP|factor/i);
  const enrolled = await jsonCall(service(), 'AuthenticationService/EnrollTotp', { userId: id });
  assert.ok(JSON.stringify(enrolled).includes('otpauth'));
});

test('accounts go out as lines of JSON, and a list shows all of them or as many as asked for', async () => {
  for (let n = 0; n < 5; n += 1) await json('user', 'create', '--tenant', 'default', '--username', `list${n}`);
  const listed = await json('user', 'list');
  assert.ok(listed.length >= 5);
  assert.deepEqual((await json('user', 'list', '--limit', '2')).length, 2);
  assert.deepEqual(await json('user', 'export'), listed);
  const written = await run('user', 'export', '--out', 'out.jsonl');
  assert.equal(written.code, 0, written.err);
  assert.equal(read('out.jsonl').trim().split('\n').length, listed.length);
  const table = (await run('user', 'list')).out.split('\n');
  assert.match(table[0] ?? '', /^ID +STATUS +IDENTIFIERS +NAME +CREATED$/);
  assert.equal(table.length, listed.length + 2);
});

test('what a user calls himself cannot steer the terminal', async () => {
  await json('user', 'create', '--username', 'evil', '--metadata', 'note=x\u001b]0;owned\u0007\u202ey');
  const { out } = await run('user', 'get', 'evil');
  assert.match(out, /metadata note +x\ufffd\]0;owned\ufffd\ufffdy\n/);
  assert.ok(
    ![...(await run('user', 'get', 'evil', '--json')).out].some((char) => char === '\u001b' || char === '\u202e'),
  );
});

test('without the right it is exit code 4, whatever the command', async () => {
  const asDecider = await asService('decider', 'decider');
  const { code, err } = await asDecider('user', 'list');
  assert.equal(code, 4, err);
  assert.match(err, /PERMISSION_DENIED|CALLER/);
});

const nobody = async (): Promise<never> => {
  throw new Error('asked for what it should not');
};
const keyboard = { columns: 80, showsProgress: false, canAsk: true, ask: nobody, askSecret: nobody, readLine: nobody };
const answering = (answer: string) => ({ terminal: { ...keyboard, ask: async () => answer } });
function typing(...secrets: string[]) {
  return { terminal: { ...keyboard, askSecret: async () => secrets.shift() ?? '' } };
}
