import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

// A TCP proxy that misbehaves on request: for outages, slow networks, and answers that are lost after the work was done.

export interface TcpProxy {
  readonly port: number;
  /** Ends every connection and refuses new ones until `restore`. */
  cut(): void;
  restore(): void;
  /** Holds every answer back for `ms` from now on; 0 stops that. */
  delayAnswers(ms: number): void;
  /**
   * The next request that matches is forwarded; its connection is ended when the answer arrives, which the client never sees.
   * Resolves when that has happened.
   */
  loseAnswer(matches: RequestMatch): Promise<void>;
  /** The next request that matches never arrives: its connection is ended instead. Resolves when that has happened. */
  loseRequest(matches: RequestMatch): Promise<void>;
  stop(): Promise<void>;
}

/** Looks at the bytes of a request, as much as came at once. */
export type RequestMatch = (bytes: Buffer) => boolean;

interface Trap {
  readonly kind: 'answer' | 'request';
  readonly matches: RequestMatch;
  readonly sprung: () => void;
}

/** Forwards a free port of 127.0.0.1 to `target`. */
export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const traps = new Set<Trap>();
  let open = true;
  let delayMs = 0;

  const server = createServer((client) => {
    if (!open) return void client.destroy();
    const upstream = connect(target);
    let lostAnswer: Trap | undefined;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      const trap = take(traps, chunk);
      if (trap?.kind === 'request') {
        trap.sprung();
        return end();
      }
      lostAnswer ??= trap;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (lostAnswer !== undefined) {
        lostAnswer.sprung();
        return end();
      }
      if (delayMs === 0) return void client.write(chunk);
      setTimeout(() => client.destroyed || client.write(chunk), delayMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  const set = (kind: Trap['kind'], matches: RequestMatch): Promise<void> =>
    new Promise((sprung) => traps.add({ kind, matches, sprung }));
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    cut: () => {
      open = false;
      endAll();
    },
    restore: () => {
      open = true;
    },
    delayAnswers: (ms) => {
      delayMs = ms;
    },
    loseAnswer: (matches) => set('answer', matches),
    loseRequest: (matches) => set('request', matches),
    stop: async () => {
      server.close();
      endAll();
      await once(server, 'close');
    },
  };
}

/** Taken when the request passes, so that a second connection cannot fall into the same trap meanwhile. */
function take(traps: Set<Trap>, chunk: Buffer): Trap | undefined {
  for (const trap of traps) {
    if (!trap.matches(chunk)) continue;
    traps.delete(trap);
    return trap;
  }
  return undefined;
}
