import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pageCommands } from '../support/page-commands.ts';
import { cheapHashes, type ServiceProcess, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { grpcurlBinary } from './grpcurl.ts';
import { needs, ROOT, run } from './tool.ts';

// The pages on decisions as a reader pastes them into one shell: every command works, and those that show an answer give that one.

let service: ServiceProcess;
before(async () => {
  service = await startService({ env: cheapHashes });
});
after(() => service.stop());

/** The script in a directory that looks like the service's; what it printed. A command that fails fails it. */
async function paste(commands: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
  using dir = tempDir();
  symlinkSync(service.dataDir, join(dir.path, 'data'));
  const cli = `node ${join(ROOT, 'bin', 'sallyport.js')}`;
  const script = commands
    .join('\n')
    .replaceAll('127.0.0.1:50051', service.grpc)
    .replaceAll('127.0.0.1:8080', service.http)
    .replaceAll('npm start --silent --', cli)
    // Exit code 1 says that there is a difference.
    .replaceAll(/^sallyport policy diff .*$/gm, '$& || test $? = 1');
  const made = Object.entries(files).map(([name, text]) => `cat > ${name} <<'MADE'\n${text}MADE\n`);
  const path = [dirname(await grpcurlBinary()), dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { PATH: path, SALLYPORT_CLIENT_ADDRESS: service.grpc };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', [...made, script].join('\n')], {
    cwd: dir.path,
    env,
  });
  return stdout;
}

test('every command of the page on authorization works as it stands', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  const commands = pageCommands('docs/authorization.md');
  assert.ok(commands.length >= 20, `${commands.length} blocks`);
  // Whoever came by the README has applied its policy, too.
  const [own = ''] = pageCommands('README.md').filter((block) => block.startsWith('ask PolicyService/ApplyPolicy'));
  const [functions = '', ...others] = commands;
  const said = await paste([functions, own, ...others]);
  const shown = [...said.matchAll(/^(?:ALLOW|DENY) \(.*$/gm)].map(([line]) => line);
  assert.deepEqual(shown, [
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
    'ALLOW (GRANTED)',
  ]);
  assert.match(
    said,
    /user:7 holds role editor by grant \S+\n {2}role editor includes role viewer\n {2}role viewer includes/,
  );
  assert.match(said, /2 of 2 decisions are as expected/);
  assert.match(
    said,
    /user:10 holds role member on group:leads by grant \S+\n {2}group:leads#member holds role member on group:eng/,
  );
  assert.match(said, /user:16 holds role member on group:eng by contextual_grants\[0\]/);
  assert.match(said, /^3 {2,}\S+Z {2}service:admin {2}3-\S+ {2}users are people now$/m);
  assert.match(said, /^version 4 is in force, etag 4-/m);
});

test('the commands of the page on AuthZEN are answered', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  const said = (await paste(pageCommands('docs/authzen.md'))).replaceAll('}{', '}\n{').trim().split('\n');
  const [one, many, search] = said.map((line) => JSON.parse(line));
  assert.deepEqual([one.decision, one.context.reason], [true, 'GRANTED']);
  assert.deepEqual(many, { evaluations: [{ decision: true }, { decision: false }] });
  assert.deepEqual(search.results, [{ type: 'document', id: '42' }]);
});

test('the policy and grants of the page on migration decide what it says of them', async (t) => {
  if (!(await needs(t, 'go', ['version']))) return;
  const page = readFileSync(join(ROOT, 'docs', 'authorization-migration.md'), 'utf8');
  const [, block = ''] = /^## Sallyport\n\n((?: {4}.*\n|\n)+)/m.exec(page) ?? [];
  const [policy = '', grants = ''] = block.replaceAll(/^ {4}/gm, '').split('# grants\n');
  const listed = grants.trim().split('\n');
  assert.equal(listed.length, 2);
  const tests = [
    'user:7 documents:write document:42, expect: allow',
    'user:8 documents:read document:42, expect: deny',
    'user:9 documents:write document:42, resource_properties: {owner: "9"}, expect: allow',
  ];
  const file = [
    'policy: policy.yaml',
    `grants: [${listed.map((each) => JSON.stringify(each)).join(', ')}]`,
    'parents: {document:42: folder:1}',
    `tests:\n${tests.map((each) => `  - {check: ${each}}`).join('\n')}\n`,
  ].join('\n');
  const command = /`(npm start --silent -- policy test) <file>`/.exec(page)?.[1];
  assert.ok(command, 'the page has no command to test with');
  const said = await paste([`${command} tests.yaml`], { 'policy.yaml': policy, 'tests.yaml': file });
  assert.equal(said, '3 of 3 decisions are as expected\n');
});
