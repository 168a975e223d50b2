import { parseArgs } from 'node:util';
import type { Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { decisions } from './decisions.ts';
import { logins } from './logins.ts';
import { printer } from './printer.ts';
import { tourServer } from './server.ts';
import { tokens } from './tokens.ts';

// `npm run tour`: the whole story against a real server, each answer printed as it came.

const { values: options } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:50051' },
    'key-file': { type: 'string', default: 'data/admin.key' },
  },
});

const server = await tourServer(options.address, options['key-file']);
const authorization: Interceptor = (next) => (request) => {
  request.header.set('authorization', `Bearer ${server.key}`);
  return next(request);
};
const transport = createGrpcTransport({ baseUrl: server.url, interceptors: [authorization], defaultTimeoutMs: 10_000 });
const print = printer((line) => void process.stdout.write(`${line}\n`));
try {
  print.note(`Sallyport, the tour: on ${server.description}.`);
  const login = await logins(transport, print);
  await tokens(transport, print, login.authenticationToken);
  await decisions(transport, print, login.userId);
  print.note('\nThat was all of it. The same calls by hand: README.md, "By hand".');
} finally {
  await server.stop();
}
