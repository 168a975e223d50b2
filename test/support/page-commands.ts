import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const STARTS = /^(?:ask|sallyport|curl|grpcurl|cat|npm)\b|^[A-Z_]+=|^(?:ask|sallyport)\(\)/;

/**
 * What a page gives to paste, as it follows each other: its fenced `sh` blocks, and the indented ones that begin with a command, without
 * their indentation. `page` is from the root of the repository.
 */
export function pageCommands(page: string): readonly string[] {
  return [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$|^(?: {4}.*\n)+/gm)]
    .map(([block, fenced]) => fenced ?? block.replace(/^ {4}/gm, ''))
    .filter((block) => STARTS.test(block));
}
