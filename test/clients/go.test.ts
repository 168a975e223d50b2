import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { tempDir } from '../support/temp-dir.ts';
import { clientEnvironment } from './client-environment.ts';
import { buf, fetched, goTool, needs, run } from './tool.ts';

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('a Go program with generated stubs makes all six calls', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  using dir = tempDir();
  await cp(join(import.meta.dirname, 'go'), dir.path, { recursive: true });
  const plugins = await Promise.all([
    goTool('google.golang.org/protobuf/cmd/protoc-gen-go', 'v1.36.12'),
    goTool('google.golang.org/grpc/cmd/protoc-gen-go-grpc', 'v1.6.2'),
  ]);
  const template = {
    version: 'v2',
    plugins: ['protoc-gen-go', 'protoc-gen-go-grpc'].map((local) => ({
      local,
      out: dir.path,
      opt: 'module=sallyport',
    })),
  };
  const path = [...plugins.map(dirname), process.env['PATH']].join(delimiter);
  await run(await buf(), ['generate', 'proto', '--template', JSON.stringify(template)], { env: { PATH: path } });

  const program = join(dir.path, 'six-calls');
  await fetched('go', ['build', '-o', program, '.'], { cwd: dir.path, env: { GOFLAGS: '-mod=mod' } });
  // Not before: a first build takes longer than the one-time code is good for.
  const env = clientEnvironment(service, await prepareSixCalls(service, 'go'));
  const { stdout } = await run(program, [], { env });
  assert.deepEqual(JSON.parse(stdout), expectedAnswers);
});
