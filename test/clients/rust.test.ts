import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { clientEnvironment } from './client-environment.ts';
import { needs, ROOT, run } from './tool.ts';

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('a Rust program with stubs of tonic asks Authorize', async (context) => {
  if (!(await needs(context, 'cargo', ['--version']))) return;
  const env = {
    ...clientEnvironment(service, await prepareSixCalls(service, 'rust')),
    PROTO: join(ROOT, 'proto'),
    CARGO_TARGET_DIR: join(ROOT, '.cache', 'clients', 'rust'),
  };
  const cwd = join(import.meta.dirname, 'rust');
  const { stdout } = await run('cargo', ['run', '--quiet', '--locked'], { cwd, env });
  assert.equal(stdout.trim(), expectedAnswers.Authorize);
});
