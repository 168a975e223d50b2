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
   * The next `count` requests that contain `bytes` are forwarded; their connection is ended when the answer arrives, which the
   * client never sees. Resolves when all have been lost.
   */
  loseAnswers(bytes: string, count?: number): Promise<void>;
  /** The next request that contains `bytes` never arrives: its connection is ended instead. Resolves when that has happened. */
  loseRequest(bytes: string): Promise<void>;
  stop(): Promise<void>;
}

interface Trap {
  readonly kind: 'answer' | 'request';
  readonly bytes: string;
  armed: number;
  sprung: number;
  readonly done: () => void;
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
      const trap = find(traps, chunk);
      if (trap?.kind === 'request') {
        spring(traps, trap);
        return end();
      }
      lostAnswer ??= trap;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (lostAnswer !== undefined) {
        spring(traps, lostAnswer);
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

  const set = (kind: Trap['kind'], bytes: string, count: number): Promise<void> =>
    new Promise((done) => traps.add({ kind, bytes, armed: count, sprung: count, done }));
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
    loseAnswers: (bytes, count = 1) => set('answer', bytes, count),
    loseRequest: (bytes) => set('request', bytes, 1),
    stop: async () => {
      server.close();
      endAll();
      await once(server, 'close');
    },
  };
}

/** Arms are counted when the request passes, so that a second connection cannot fall into the same trap meanwhile. */
function find(traps: ReadonlySet<Trap>, chunk: Buffer): Trap | undefined {
  for (const trap of traps) {
    if (trap.armed > 0 && chunk.includes(trap.bytes)) {
      trap.armed -= 1;
      return trap;
    }
  }
  return undefined;
}

function spring(traps: Set<Trap>, trap: Trap): void {
  trap.sprung -= 1;
  if (trap.sprung > 0) return;
  traps.delete(trap);
  trap.done();
}
