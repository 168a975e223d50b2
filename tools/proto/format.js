// Formats proto/ in place.
import { buf } from './workspace.js';

process.exitCode = buf(['format', '--write', 'proto']);
