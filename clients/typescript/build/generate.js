// Writes gen/: the contract as JavaScript with types, and v1.js, one door to all of it (`@sallyport/client/v1`). buf and its
// generators are those of tools/proto: `npm --prefix tools/proto ci` first. Nothing of it is committed, so nothing can drift.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buf, root, workspaceConfig } from '../../../tools/proto/workspace.js';

const gen = join(import.meta.dirname, '..', 'gen');

export function generate() {
  if (!existsSync(join(root, 'tools/proto/node_modules'))) {
    throw new Error('the generators are missing: npm --prefix tools/proto ci');
  }
  const paths = ['proto/sallyport', 'tools/proto/node_modules/.third-party/google'].flatMap((path) => ['--path', path]);
  const config = workspaceConfig();
  const status = buf(['generate', '--config', config, '--template', 'clients/typescript/buf.gen.yaml', ...paths]);
  if (status !== 0) throw new Error(`buf generate failed with exit status ${status}`);
  const modules = readdirSync(join(gen, 'sallyport', 'v1')).filter((name) => name.endsWith('_pb.js'));
  const door = modules.map((name) => `export * from './sallyport/v1/${name}';\n`).join('');
  for (const file of ['v1.js', 'v1.d.ts']) writeFileSync(join(gen, file), door);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate();
