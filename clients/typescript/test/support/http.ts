import type { Server } from 'node:http';
import { after } from 'node:test';

/** What a test looks at of an answer. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

export interface Browser {
  /** Origin of the application, as the browser reached it. */
  readonly origin: string;
  cookie: string;
  csrfToken: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Sends the cookie, the origin and the CSRF token unless `headers` say otherwise; an empty one is left out. */
  send(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Logs in and keeps the cookie and the CSRF token. */
  logIn(identifier: string, password: string): Promise<Answer>;
}

/** A browser, as far as it matters here: it keeps one cookie and says where it comes from. */
export function browserAt(origin: string): Browser {
  const ask = async (method: string, path: string, headers: Readonly<Record<string, string>>, body?: object) => {
    const sent = Object.entries({ cookie: browser.cookie, ...headers }).filter(([, value]) => value !== '');
    const response = await fetch(origin + path, {
      method,
      headers: body === undefined ? sent : [...sent, ['content-type', 'application/json']],
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) browser.cookie = /Max-Age=0/.test(cookie) ? '' : (cookie.split(';')[0] ?? '');
    const text = await response.text();
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : { text };
    return { status: response.status, body: parsed as Answer['body'], headers: response.headers };
  };
  const browser: Browser = {
    origin,
    cookie: '',
    csrfToken: '',
    get: (path, headers = {}) => ask('GET', path, headers),
    send: (method, path, body, headers = {}) =>
      ask(method, path, { origin, 'x-csrf-token': browser.csrfToken, ...headers }, body),
    logIn: async (identifier, password) => {
      const answer = await browser.send('POST', '/login', { identifier, password });
      browser.csrfToken = String(answer.body['csrfToken'] ?? '');
      return answer;
    },
  };
  return browser;
}

/** Listens on a free port until the tests of the file are over; gives the origin. */
export async function serve(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}
