import type { Response } from 'express';
import { type Html, html } from './html.ts';

/** Sends a whole page. `res.locals` says whether somebody is looking, and holds their CSRF token. */
export function sendPage(response: Response, title: string, main: Html, status = 200): void {
  const { isSomebody, csrfToken } = response.locals as { readonly isSomebody?: boolean; readonly csrfToken?: string };
  const visitor =
    isSomebody === true
      ? html`<a href="/orders">Orders</a> <a href="/account">Account</a>
          <form method="post" action="/logout">${csrfField(csrfToken)}<button class="quiet">Log out</button></form>`
      : html`<a class="button" href="/login">Log in</a>`;
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Lamp &amp; Chair</title><link rel="stylesheet" href="/style.css"></head>
<body><header><a class="brand" href="/">Lamp &amp; Chair</a><nav>${visitor}</nav></header>
<main><h1>${title}</h1>${main}</main>
<footer>Logins, sessions and permissions by Sallyport</footer></body></html>`;
  response.status(status).type('html').send(page.html);
}

/** Every form that changes something carries it. */
export function csrfField(token: string | undefined): Html {
  return html`<input type="hidden" name="_csrf" value="${token ?? ''}">`;
}

export function notice(kind: 'good' | 'bad', text: string): Html {
  return html`<p class="notice ${kind}" role="status">${text}</p>`;
}
