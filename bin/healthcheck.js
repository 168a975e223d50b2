// The HEALTHCHECK of the image: exits with 0 when the ops port of this container says ready. Plain JavaScript and no package,
// because it starts anew every few seconds.

import { get } from 'node:http';

const TIMEOUT_MS = 2500;
const address = process.env.SALLYPORT_OPS_ADDRESS || '127.0.0.1:9090';
const colon = address.lastIndexOf(':');
const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
const everywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' };

const request = get(
  { host: everywhere[host] || host, port: address.slice(colon + 1), path: '/readyz', timeout: TIMEOUT_MS },
  (response) => {
    response.resume();
    finish(response.statusCode === 200 ? 0 : 1, `/readyz answered ${response.statusCode}`);
  },
);
request.on('timeout', () => finish(1, `/readyz did not answer within ${TIMEOUT_MS} ms`));
request.on('error', (error) => finish(1, `/readyz cannot be reached: ${error.code || error.message}`));

function finish(code, message) {
  process.stdout.write(`${message}\n`);
  process.exit(code);
}
