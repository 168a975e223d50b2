import type { Answer } from './http.ts';

/** A browser that follows no redirect by itself and keeps every cookie by its name. */
export interface Navigator {
  readonly cookies: Map<string, string>;
  /** GET, as a navigation is; the raw Set-Cookie headers come along. */
  visit(
    path: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer & { readonly set: readonly string[] }>;
  /** Sends JSON from a page of the application. */
  send(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export function navigatorAt(origin: string): Navigator {
  const cookies = new Map<string, string>();
  const ask = async (path: string, init: RequestInit, headers: Readonly<Record<string, string>>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = Object.entries({ cookie, ...headers }).filter(([, value]) => value !== '');
    const response = await fetch(origin + path, { ...init, headers: sent, redirect: 'manual' });
    const set = response.headers.getSetCookie();
    for (const one of set) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? [];
      if (one.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Answer['body'];
    return { status: response.status, body, headers: response.headers, set };
  };
  return {
    cookies,
    visit: (path, headers = {}) => ask(path, { method: 'GET' }, headers),
    send: (path, body, headers = {}) =>
      ask(
        path,
        { method: 'POST', body: JSON.stringify(body) },
        { origin, 'content-type': 'application/json', ...headers },
      ),
  };
}
