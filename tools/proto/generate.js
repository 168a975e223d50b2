// Writes gen/: TypeScript for every message and service, and the descriptor set that reflection serves.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buf, root, workspaceConfig } from './workspace.js';

/** Generates everything into the folder gen/ of `base`, which is emptied first. Throws when buf fails. */
export function generate(base) {
  const config = workspaceConfig();
  run(['generate', '--config', config, '--template', 'buf.gen.yaml', '-o', base]);
  // With source info: it holds the comments, which `grpcurl describe` shows.
  run(['build', '--config', config, '--as-file-descriptor-set', '-o', join(base, 'gen', 'descriptors.binpb')]);
}

function run(args) {
  const status = buf(args);
  if (status !== 0) throw new Error(`buf ${args[0]} failed with exit status ${status}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate(root);
