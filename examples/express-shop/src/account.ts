import type { Sallyport } from '@sallyport/client';
import { Refusal } from '@sallyport/client/express';
import {
  type ApiKey,
  ApiKeyService,
  AuthenticationService,
  SessionService,
  type TotpEnrollment,
} from '@sallyport/client/v1';
import { type Request, type Response, Router } from 'express';
import { type Html, html } from './html.ts';
import { csrfField, notice, sendPage } from './page.ts';
import type { ShopPorts } from './shop.ts';

// What people do for themselves: a second factor, and API keys for their own programs. Everything here stands behind authenticate() and csrf().

/** What a customer's program may do, whoever makes it: `scopes` only narrow. */
const KEY_SCOPES = ['orders:read'];

export function accountRoutes({ sallyport, keyManager }: ShopPorts): Router {
  const keys = keyManager.client(ApiKeyService);
  const factors = sallyport.client(AuthenticationService);
  const router = Router();

  router.use((req, _res, next) => {
    // A key that leaked must not make further keys, nor change the factor.
    if (req.principal?.via !== 'session') throw new Refusal('forbidden');
    next();
  });
  router.get('/', async (req, res) => {
    const list = (await keys.listApiKeys({ owner: ownerOf(req) })).keys.filter(
      ({ revokeTime }) => revokeTime === undefined,
    );
    sendPage(res, 'Your account', accountMain(list, csrfTokenOf(res)));
  });
  router.post('/keys', async (req, res) => {
    const displayName = String(req.body?.name ?? '').slice(0, 200);
    const { apiKey } = await keys.createApiKey({ owner: ownerOf(req), displayName, scopes: KEY_SCOPES });
    sendPage(res, 'Your new API key', keyMain(apiKey));
  });
  router.post('/keys/:id/revoke', async (req, res) => {
    const { keys: own } = await keys.listApiKeys({ owner: ownerOf(req), pageSize: 1000 });
    // Whose key it is decides here, because the key of this client may revoke everybody's.
    const key = own.find(({ id }) => id === req.params.id);
    if (key === undefined) throw new Refusal('forbidden');
    await keys.revokeApiKey({ keyId: key.id });
    res.redirect(303, '/account');
  });
  router.post('/factor', async (req, res) => {
    const proof = await proofOf(sallyport, req);
    if (proof === undefined) throw new Refusal('invalid_credentials');
    const { outcome } = await factors.enrollTotp({ target: { case: 'authenticationToken', value: proof } });
    if (outcome.case !== 'enrollment') throw new Refusal('challenge_expired');
    sendPage(res, 'Scan the code', enrollMain(outcome.value, csrfTokenOf(res)));
  });
  router.post('/factor/confirm', async (req, res) => {
    const challengeToken = String(req.body?.challenge ?? '');
    const totpCode = String(req.body?.code ?? '').trim();
    const target = { case: 'challengeToken' as const, value: challengeToken };
    const { outcome } = await factors.confirmTotp({ target, totpCode });
    if (outcome.case !== 'confirmation') throw new Refusal('code_invalid');
    // The new factor has ended every session of the user, this one too; the login that confirmed it begins the next.
    const { login, recoveryCodes } = outcome.value;
    if (login.case === 'authenticated') await beginSession(sallyport, login.value.authenticationToken, req, res);
    sendPage(res, 'Second factor is on', recoveryMain(recoveryCodes));
  });
  return router;
}

function csrfTokenOf(response: Response): string | undefined {
  return response.locals['csrfToken'];
}

function ownerOf(request: Request): { readonly type: string; readonly id: string } {
  const { subject } = request.principal ?? {};
  if (subject === undefined) throw new Refusal('credential_missing');
  return subject;
}

/** A fresh proof that it is still them, from the password that the form sent; undefined: it is wrong, or somebody else's. */
async function proofOf(sallyport: Sallyport, request: Request): Promise<string | undefined> {
  const [identifier, password] = [String(request.body?.identifier ?? ''), String(request.body?.password ?? '')];
  if (identifier === '' || password === '') throw new Refusal('malformed');
  const credential = { case: 'password' as const, value: { identifier, password } };
  const { outcome } = await sallyport.authenticate({ credential, client: { ip: request.ip ?? '' } });
  const isTheirs = outcome.case === 'authenticated' && outcome.value.userId === ownerOf(request).id;
  return isTheirs ? outcome.value.authenticationToken : undefined;
}

async function beginSession(sallyport: Sallyport, authenticationToken: string, request: Request, response: Response) {
  const client = { ip: request.ip ?? '', userAgent: (request.get('user-agent') ?? '').slice(0, 1024) };
  const { outcome } = await sallyport.client(SessionService).createSession({ authenticationToken, cookie: {}, client });
  if (outcome.case !== 'session') return;
  response.append('Set-Cookie', outcome.value.setCookie);
  response.locals['csrfToken'] = outcome.value.csrfToken;
}

function accountMain(keys: readonly ApiKey[], csrfToken: string | undefined): Html {
  const rows = keys.map(
    ({ id, displayName, prefix }) => html`<tr><td>${displayName}</td><td><code>${prefix}...</code></td>
      <td><form method="post" action="/account/keys/${id}/revoke">${csrfField(csrfToken)}<button class="quiet">Revoke</button></form></td></tr>`,
  );
  return html`<section class="card"><h2>API keys</h2>
    <p>For programs of your own that read your orders: send one as <code>x-api-key</code> to <code>/api/orders</code>.</p>
    ${keys.length === 0 ? undefined : html`<table><tr><th>Name</th><th>Key</th><th></th></tr>${rows}</table><br>`}
    <form class="row" method="post" action="/account/keys">${csrfField(csrfToken)}
      <label>Name <input name="name" required maxlength="200"></label><button>Make a key</button></form></section>
  <section class="card"><h2>Second factor</h2>
    <p>A code from an app on your phone, whenever you log in. Say first that it is you.</p>
    <form class="narrow" method="post" action="/account/factor">${csrfField(csrfToken)}
      <label>Email <input name="identifier" type="email" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Turn it on</button></form></section>`;
}

function keyMain(apiKey: string): Html {
  return html`${notice('good', 'Keep it where secrets are kept. It is shown this once.')}
    <p class="card"><code id="api-key">${apiKey}</code></p><p><a href="/account">Back to your account</a></p>`;
}

function enrollMain({ secret, qrSvg, challengeToken }: TotpEnrollment, csrfToken: string | undefined): Html {
  return html`<div class="card narrow"><div class="qr">${{ html: qrSvg }}</div>
    <p>Or type it in: <code id="secret">${secret}</code></p>
    <form method="post" action="/account/factor/confirm">${csrfField(csrfToken)}
      <input type="hidden" name="challenge" value="${challengeToken}">
      <label>The code that the app shows <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
      <button>Confirm</button></form></div>`;
}

function recoveryMain(codes: readonly string[]): Html {
  return html`${notice('good', 'From now on a login asks for a code.')}
    <div class="card"><h2>Recovery codes</h2><p>For when the phone is lost: each works once. They are shown this once.</p>
    <ul>${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul></div>`;
}
