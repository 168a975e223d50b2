import { type StartCookiePorts, startCookieSession } from './start-cookie-session.ts';
import { startTokenSession } from './start-session.ts';
import type { SessionStarter } from './use-cases.ts';

/** What a login that issues at once ends in. */
export function createSessionStarter(ports: StartCookiePorts): SessionStarter {
  return {
    start: (call, login, request, client) =>
      request.kind === 'tokens'
        ? startTokenSession(ports, call, { login, options: request, client })
        : startCookieSession(ports, call, login, request, client),
  };
}
