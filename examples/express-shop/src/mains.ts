import type { Explanation } from '@sallyport/client/express';
import type { Order, Product } from './catalogue.ts';
import { type Html, html } from './html.ts';
import { csrfField, notice } from './page.ts';

// What stands in the middle of the pages. The login's forms carry no CSRF token: there is no session yet, and the origin is checked.

export function loginMain(problem?: string): Html {
  return html`${problem === undefined ? undefined : notice('bad', problem)}
    <form class="card narrow" method="post" action="/login">
      <label>Email <input name="identifier" type="email" autocomplete="username" required autofocus></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Log in</button>
    </form>
    <p>Try <code>carla@shop.example</code> (customer), <code>ed@shop.example</code> (edits the lamp) or
    <code>mona@shop.example</code> (manager). The password is on the terminal.</p>`;
}

export function codeMain(challenge: string): Html {
  return html`<form class="card narrow" method="post" action="/login/code">
    <input type="hidden" name="challenge" value="${challenge}">
    <label>Code from your app, or a recovery code
      <input name="code" autocomplete="one-time-code" required autofocus></label>
    <button>Continue</button>
  </form>`;
}

export function catalogueMain(
  products: readonly Product[],
  mayEdit: readonly boolean[],
  mayOrder: boolean,
  csrfToken: string | undefined,
): Html {
  const cards = products.map(
    ({ id, name, price }, index) => html`<article class="card"><h2>${name}</h2><p>${price} EUR</p><div class="row">
      ${mayOrder ? html`<form method="post" action="/orders">${csrfField(csrfToken)}<input type="hidden" name="product" value="${id}"><button>Order</button></form>` : undefined}
      ${mayEdit[index] === true ? html`<a class="button quiet" href="/products/${id}">Change price</a>` : undefined}
    </div></article>`,
  );
  return html`<div class="grid">${cards}</div>`;
}

export function ordersMain(orders: readonly Order[], userId: string | undefined): Html {
  if (orders.length === 0) return html`<p class="card">There are no orders that you may see.</p>`;
  const rows = orders.map(
    ({ id, product, customer }) =>
      html`<tr><td>${id}</td><td>${product}</td><td>${customer === userId ? 'you' : 'another customer'}</td></tr>`,
  );
  return html`<div class="card"><table><tr><th>Order</th><th>What</th><th>Whose</th></tr>${rows}</table></div>`;
}

export function priceMain({ id, price }: Product, csrfToken: string | undefined): Html {
  return html`<form class="card narrow" method="post" action="/products/${id}">${csrfField(csrfToken)}
    <label>Price in EUR <input name="price" inputmode="decimal" value="${price}" required></label>
    <button>Save</button>
  </form>`;
}

/** What was asked: a permission, and the resource that it was about. */
export interface Question {
  readonly permission: string;
  readonly resource?: { readonly type: string; readonly id: string } | undefined;
}

export function whyMain({ permission, resource }: Question, explanation: Explanation): Html {
  const { isAllowed, reason, steps, missingContext } = explanation;
  const on = resource === undefined ? 'in the whole shop' : `on ${resource.type} ${resource.id}`;
  return html`${notice(isAllowed ? 'good' : 'bad', `${permission} ${on}: ${reason}`)}
    <div class="card"><h2>How this was decided</h2>
    <ol class="steps">${steps.map((step) => html`<li><code>${step}</code></li>`)}</ol>
    ${missingContext.length === 0 ? undefined : html`<p>Not known: ${missingContext.join(', ')}</p>`}</div>
    <p>Ask a manager for what you need: a role, or this permission on this one thing.</p>`;
}

/** `question`: what was refused, where a page knows it. */
export function refusedMain(title: string, question: Question | undefined): Html {
  if (question === undefined) return notice('bad', title);
  const { permission, resource } = question;
  const query = new URLSearchParams({ permission, ...resource });
  return html`${notice('bad', title)}<p><a class="button" href="/why?${query.toString()}">Why was I refused?</a></p>`;
}
