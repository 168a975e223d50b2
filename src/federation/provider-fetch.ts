import { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Fault } from '../platform/faults.ts';
import type { Logger } from '../platform/logger.ts';
import { type InNetworks, inNetworks } from '../platform/networks.ts';
import { isPublicAddress } from './public-address.ts';

// The one way out to identity providers. Issuers are registered by tenants, and the URLs after them come from documents on the internet, so
// each request could be aimed at what only this machine reaches (OWASP: server-side request forgery). Hence: https alone, no address that is
// not public unless the operator allows it, no redirects, and an end to size and time. The address is judged where it is connected to, in
// the look-up of that very connection: a name that answers differently the second time gains nothing.

const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5_000;
/** Of one provider: one that is slow must not take the places of the others. */
const MAX_SOCKETS = 16;
const MAX_TOTAL_SOCKETS = 256;
/** RFC 9110 section 6.4.1, and what `Response` refuses a body for. */
const WITHOUT_BODY = new Set([204, 205, 304]);

export interface ProviderFetchOptions {
  readonly logger: Logger;
  /** Networks that are allowed besides the public ones. */
  readonly allowedNetworks: readonly string[];
  /** Certificate authorities (PEM) besides those that come with Node. */
  readonly extraCa?: string | undefined;
  /** For tests; defaults are 5 s, 1 MiB and the system's resolver. */
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly lookup?: typeof systemLookup | undefined;
}

/** What callers of `fetch` pass, as far as it is heeded. */
export interface ProviderRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The whole answer, redirects included as they are. Throws UNAVAILABLE for no answer, a refused address, a limit, and status 429 and 5xx. */
export type ProviderFetch = (url: string, init: ProviderRequest) => Promise<Response>;

export function createProviderFetch(options: ProviderFetchOptions): ProviderFetch {
  const { logger, extraCa, timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = options;
  const isAllowed = allowedAddresses(inNetworks(options.allowedNetworks));
  const agent = new Agent({
    // A kept connection would be one whose address was judged long ago.
    keepAlive: false,
    maxSockets: MAX_SOCKETS,
    maxTotalSockets: MAX_TOTAL_SOCKETS,
    ...(extraCa === undefined ? {} : { ca: [...getCACertificates('default'), extraCa] }),
    lookup: guardedLookup(options.lookup ?? systemLookup, isAllowed),
  });
  return async (text, init) => {
    const url = new URL(text);
    try {
      if (url.protocol !== 'https:') throw new Error('only https is spoken to identity providers');
      // For an address in the place of a name nothing is looked up.
      const host = url.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && !isAllowed(host)) throw new RefusedAddressError();
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await send(url, init, agent, signal);
      const body = await read(response, maxBytes, signal);
      const status = response.statusCode ?? 0;
      if (status === 429 || status < 200 || status >= 500) throw new Error(`it answered with status ${status}`);
      return new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers: headersOf(response) });
    } catch (error) {
      // The host and the reason are for the operator; a tenant is not told what its issuer's name leads to.
      logger.warn({ host: url.host, err: error }, 'a request to an identity provider failed');
      throw new Fault('UNAVAILABLE', 'the identity provider does not answer', { cause: error });
    }
  };
}

class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';

  constructor() {
    super('its address is not public, and SALLYPORT_FEDERATION_NETWORKS does not allow it');
  }
}

function allowedAddresses(isListed: InNetworks | undefined): (address: string) => boolean {
  return (address) => isPublicAddress(address) || isListed?.(address) === true;
}

/** One address that is refused refuses the name: which of them is connected to would be up to chance. */
function guardedLookup(lookup: typeof systemLookup, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) done(error ?? new Error('no address'), '', 0);
      else if (!addresses.every(({ address }) => isAllowed(address))) done(new RefusedAddressError(), '', 0);
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

async function send(url: URL, init: ProviderRequest, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
  const body = init.body === undefined || init.body === null ? undefined : String(init.body);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const outgoing = request(url, { method: init.method, headers: { ...init.headers, ...length }, agent, signal });
  // An error after the answer has begun, or after the time was up, has its own reader: it must not end the process.
  outgoing.on('error', () => {});
  outgoing.end(body);
  const [response] = await once(outgoing, 'response', { signal });
  return response as IncomingMessage;
}

async function read(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > maxBytes) {
      response.destroy();
      throw new Error(`its answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}
