import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/command/commands.ts';
import { commandLine } from '../../support/command-line.ts';

async function script(shell: string): Promise<string> {
  using line = commandLine();
  const { code, out } = await line.run('completion', shell);
  assert.equal(code, 0);
  return out;
}

/** What bash offers after these words; the last one is being typed. */
function offered(bash: string, words: readonly string[]): readonly string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const asking = `COMP_WORDS=(sallyport ${typed}); COMP_CWORD=${words.length}; _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${bash}\n${asking}`], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash offers nouns, then verbs, then options', async () => {
  const bash = await script('bash');
  assert.deepEqual(offered(bash, ['us']), ['user']);
  assert.deepEqual(offered(bash, ['user', 'un']), ['unlock']);
  assert.deepEqual(offered(bash, ['--json', 'user', 'factors', '']), ['remove']);
  assert.deepEqual(offered(bash, ['grant', 'add', 'user:7', '--de']), ['--deny']);
  assert.deepEqual(offered(bash, ['user', 'list', '--lim']), ['--limit']);
});

test('every command that there is is offered, and no other', async () => {
  const ofMain = ['serve', 'generate', 'rekey'];
  assert.deepEqual(offered(await script('bash'), ['']).toSorted(), [...COMMANDS, ...ofMain].toSorted());
});

test('zsh and fish get scripts of their own, another shell a list of those there are', async () => {
  assert.match(await script('zsh'), /^#compdef sallyport\n.*bashcompinit/);
  assert.match(await script('fish'), /^complete -c sallyport .* -a 'user' -d 'people and their accounts'$/m);
  using line = commandLine();
  const { code, err } = await line.run('completion', 'tcsh');
  assert.deepEqual([code, err], [2, 'sallyport: there is no completion for "tcsh"; known are bash, zsh, fish\n']);
});
