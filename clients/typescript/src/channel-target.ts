import { isIP } from 'node:net';

// What grpc-js calls a target, from an address as people write it (https://github.com/grpc/grpc/blob/master/doc/naming.md).

export interface ChannelTarget {
  /** For grpc-js: one name that DNS resolves to any number of replicas, or a list of addresses. */
  readonly uri: string;
  /** Every part of it is this machine. */
  readonly isLoopback: boolean;
}

/** The accepted forms, for error messages. */
export const ADDRESS_FORM =
  'host:port (sallyport.internal:50051), a list of IP addresses (10.0.0.1:50051,10.0.0.2:50051; [::1]:50051) or dns:///host:port';

const PART = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/;

interface Part {
  readonly host: string;
  readonly port: number;
}

/** Undefined when the text is of none of the accepted forms. */
export function channelTarget(address: string): ChannelTarget | undefined {
  const list = address.startsWith('dns:///') ? [address.slice('dns:///'.length)] : address.split(',');
  const parts: Part[] = [];
  for (const text of list) {
    const part = partOf(text.trim());
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const isLoopback = parts.every((part) => isLoopbackHost(part.host));
  const [first] = parts;
  if (first === undefined) return undefined;
  if (parts.length === 1) return { uri: `dns:///${written(first)}`, isLoopback };
  // grpc-js balances over several addresses of one family, or over what one name resolves to; not over several names.
  const family = isIP(first.host);
  if (family === 0 || parts.some((part) => isIP(part.host) !== family)) return undefined;
  return { uri: `ipv${family}:${parts.map(written).join(',')}`, isLoopback };
}

function partOf(text: string): Part | undefined {
  const { v6, host, port } = PART.exec(text)?.groups ?? {};
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  const number = Number(port);
  const name = v6 ?? host;
  return name === undefined || !(number >= 1 && number <= 65_535) ? undefined : { host: name, port: number };
}

function written({ host, port }: Part): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopbackHost(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host.toLowerCase() === 'localhost';
}
