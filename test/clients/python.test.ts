import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { tempDir } from '../support/temp-dir.ts';
import { clientEnvironment } from './client-environment.ts';
import { needs, pythonWith, ROOT, run } from './tool.ts';

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('a Python program with generated stubs makes all six calls', async (context) => {
  if (!(await needs(context, 'python3', ['--version']))) return;
  using dir = tempDir();
  const python = await pythonWith('python', join(import.meta.dirname, 'python', 'requirements.txt'));
  const proto = join(ROOT, 'proto');
  const files = globSync('sallyport/v1/*.proto', { cwd: proto });
  const out = [`--python_out=${dir.path}`, `--grpc_python_out=${dir.path}`];
  await run(python, ['-m', 'grpc_tools.protoc', `-I${proto}`, ...out, ...files]);

  const env = clientEnvironment(service, await prepareSixCalls(service, 'python'));
  const script = join(import.meta.dirname, 'python', 'six_calls.py');
  const { stdout } = await run(python, [script], { env: { ...env, PYTHONPATH: dir.path } });
  assert.deepEqual(JSON.parse(stdout), expectedAnswers);
});
