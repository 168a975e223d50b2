import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTerminal } from '../../support/in-terminal.ts';
import { serviceCommands } from '../../support/service-commands.ts';

// What only a person at a terminal sees.

const { service, json } = serviceCommands();
const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'sallyport.js');
const hasPython = spawnSync('python3', ['--version']).status === 0;
const skip = !hasPython && process.env['CI'] === undefined ? 'python3 is needed to make a terminal' : false;

const at = (args: readonly string[], ...typing: readonly (readonly [string, string])[]) =>
  inTerminal([process.execPath, BIN, ...args], typing, {
    SALLYPORT_CLIENT_ADDRESS: service().grpc,
    SALLYPORT_CLIENT_API_KEY: service().adminKey,
  });

test('a password is asked for twice and not shown', { skip }, async () => {
  const secret = 'Correct-Horse-7-Battery';
  const args = ['user', 'create', '--username', 'typed', '--password'];
  const { shown, code } = await at(args, ['password: ', `${secret}\r`], ['again: ', `${secret}\r`]);
  assert.equal(code, 0, shown);
  assert.match(shown, /^password: \r\npassword again: \r\nid /);
  assert.ok(!shown.includes(secret));
});

test('Ctrl-C at a question ends the command, and nothing is done', { skip }, async () => {
  await json('user', 'create', '--username', 'kept');
  const { shown, code } = await at(['user', 'delete', 'kept'], ['[y/N] ', '\u0003']);
  assert.equal(code, 1);
  assert.match(shown, /sallyport: interrupted\r\n$/);
  assert.equal((await json('user', 'get', 'kept')).length, 1);
});

test('what cannot be taken back is done after a yes alone', { skip }, async () => {
  await json('user', 'create', '--username', 'asked');
  assert.equal((await at(['user', 'delete', 'asked'], ['[y/N] ', '\r'])).code, 1);
  assert.equal((await at(['user', 'delete', 'asked'], ['[y/N] ', 'y\r'])).code, 0);
});
