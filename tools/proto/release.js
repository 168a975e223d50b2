// Makes the contract as it is now the one that `breaking` compares with. Run it in the commit that tags a release, and at
// no other time: it is what forgives incompatible changes.
import { relative } from 'node:path';
import { buf, releasedImage, root } from './workspace.js';

process.exitCode = buf(['build', 'proto', '--exclude-source-info', '-o', relative(root, releasedImage)]);
