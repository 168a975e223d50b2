import { setTimeout } from 'node:timers/promises';
import { type Browser, browserAt } from './http.ts';

// Real requests of somebody who may and somebody who may not, one after the other, until told to stop.

/** Far beyond any deadline of the guards: a request that takes this long hangs. */
const HANGS_AFTER_MS = 15_000;

export interface Traffic {
  /** How often each status was seen by who may. */
  readonly seen: Readonly<Record<string, number>>;
  /** Resolves when a request that began after now was answered with the status; rejects after 15 s. */
  until(status: number): Promise<void>;
  /** Ends it; throws when a request hung, or one passed that may not. */
  stop(): Promise<void>;
}

/** `allowed` and `denied` are logged in; both ask for `path`. */
export function startTraffic(allowed: Browser, denied: Browser, path: string): Traffic {
  const stopped = new AbortController();
  const faults: string[] = [];
  const seen: Record<string, number> = {};

  const ask = async ({ origin, cookie }: Browser): Promise<number> => {
    const signal = AbortSignal.timeout(HANGS_AFTER_MS);
    try {
      const response = await fetch(origin + path, { headers: { cookie }, signal });
      await response.text();
      return response.status;
    } catch (error) {
      faults.push(signal.aborted ? 'a request hung' : String(error));
      return 0;
    }
  };
  const loop = async (browser: Browser, note: (status: number) => void): Promise<void> => {
    while (!stopped.signal.aborted) {
      note(await ask(browser));
      // Leaves the one process of the tests time for the application.
      await setTimeout(2);
    }
  };
  const running = [
    loop(allowed, (status) => {
      seen[status] = (seen[status] ?? 0) + 1;
      if (status !== 200 && status !== 503) faults.push(`${status} for who may`);
    }),
    loop(denied, (status) => {
      if (status !== 403 && status !== 503) faults.push(`${status} for who may not`);
    }),
  ];
  return {
    seen,
    until: async (status) => {
      const before = seen[status] ?? 0;
      const deadline = performance.now() + HANGS_AFTER_MS;
      // The first may have begun before.
      while ((seen[status] ?? 0) < before + 2) {
        if (performance.now() > deadline) throw new Error(`no ${status} within 15 s but ${JSON.stringify(seen)}`);
        await setTimeout(10);
      }
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(running);
      if (faults.length > 0) throw new Error([...new Set(faults)].join('\n'));
    },
  };
}

/** Somebody who is logged in at the application. */
export async function visitor(origin: string, identifier: string, password: string): Promise<Browser> {
  const browser = browserAt(origin);
  const { status } = await browser.logIn(identifier, password);
  if (status !== 200) throw new Error(`login of ${identifier}: ${status}`);
  return browser;
}
