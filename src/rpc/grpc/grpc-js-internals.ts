import type { Http2Server, Http2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { limits } from '../../domain/limits.ts';

// Things that grpc-js 1.14 has no option for, done on its own HTTP/2 servers. Each throws when another version keeps them elsewhere,
// and test/rpc/grpc-server.test.ts says whether they still work.

/** Header fields of one request. */
const MAX_HEADER_PAIRS = 128;

/** Living connections; keepalive pings end those of dead peers. */
const MAX_CONNECTIONS = 10_000;

/** A client begins with its settings (RFC 9113 section 3.4), and before that with its TLS handshake. One that says nothing is none, ms. */
const SILENCE_MS = 10_000;

/** Bounds request metadata to 16 KiB, and the time of a TLS handshake. Before `bindAsync`. */
export function limitConnections(server: Server): void {
  const options: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof options !== 'object' || options === null) throw new Error('grpc-js keeps its HTTP/2 options elsewhere');
  const settings: unknown = Reflect.get(options, 'settings');
  Object.assign(options, {
    maxHeaderListPairs: MAX_HEADER_PAIRS,
    handshakeTimeout: SILENCE_MS,
    settings: { ...(settings as object | undefined), maxHeaderListSize: limits.metadataBytes },
  });
}

/** Living connections, bounded: without channelz grpc-js keeps no list for its own forceShutdown, which then cuts nothing. After `bindAsync`. */
export function trackSessions(server: Server): ReadonlySet<Http2Session> {
  const sessions = new Set<Http2Session>();
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map) || servers.size === 0) throw new Error('grpc-js keeps its HTTP/2 servers elsewhere');
  for (const each of servers.keys()) {
    const listener = each as Http2Server;
    // grpc-js counts no connections, and its own idle timeout costs every call two listeners.
    listener.maxConnections = MAX_CONNECTIONS;
    listener.on('session', (session) => {
      const silent = setTimeout(() => session.destroy(), SILENCE_MS).unref();
      session.once('remoteSettings', () => clearTimeout(silent));
      sessions.add(session);
      session.once('close', () => {
        clearTimeout(silent);
        sessions.delete(session);
      });
    });
  }
  return sessions;
}
