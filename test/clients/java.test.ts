import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { tempDir } from '../support/temp-dir.ts';
import { clientEnvironment } from './client-environment.ts';
import { needs, ROOT, run } from './tool.ts';

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('a Java program whose stubs Maven generates asks Authorize', async (context) => {
  if (!(await needs(context, 'javac', ['-version']))) return;
  if (!(await needs(context, 'mvn', ['-version']))) return;
  using dir = tempDir();
  await cp(join(import.meta.dirname, 'java'), dir.path, { recursive: true });
  const env = clientEnvironment(service, await prepareSixCalls(service, 'java'));
  const args = ['-q', '-B', `-Dproto=${join(ROOT, 'proto')}`, 'compile', 'exec:java'];
  const { stdout } = await run('mvn', args, { cwd: dir.path, env });
  // Maven writes codes for colours around it.
  assert.ok(stdout.includes(expectedAnswers.Authorize), stdout);
});
