import { join } from 'node:path';
import type { Sallyport } from '@sallyport/client';
import { guard, type LoginResult } from '@sallyport/client/express';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { accountRoutes } from './account.ts';
import { type Catalogue, createCatalogue, type Order } from './catalogue.ts';
import { html } from './html.ts';
import { catalogueMain, codeMain, loginMain, ordersMain, priceMain, whyMain } from './mains.ts';
import { sendPage } from './page.ts';
import { refusalPages } from './refusal-pages.ts';

/** What the shop is made of. */
export interface ShopPorts {
  readonly sallyport: Sallyport;
  /** Another client, whose key may make API keys: the one that serves people may not. */
  readonly keyManager: Sallyport;
}

type Guards = ReturnType<typeof guard>;

/** The whole application. */
export function createShop(ports: ShopPorts): Express {
  const guards = guard(ports.sallyport);
  const { login, verifyTotp, logout, authenticate, csrf, errors } = guards;
  const catalogue = createCatalogue();
  const app = express();
  app.disable('x-powered-by');
  app.use((_req, res, next) => {
    res.set('Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'; form-action 'self'");
    next();
  });
  app.get('/style.css', (_req, res) => res.sendFile(join(import.meta.dirname, 'style.css')));
  // Before the guards: a form brings its CSRF token as a field.
  app.use(express.urlencoded({ limit: '16kb' }));

  app.get('/login', (_req, res) => sendPage(res, 'Log in', loginMain()));
  app.post('/login', login({ reply: replyToLogin }));
  app.post('/login/code', verifyTotp({ reply: replyToLogin }));
  app.get('/', authenticate({ optional: true }), csrf(), greet, (req, res) =>
    showCatalogue(guards, catalogue, req, res),
  );

  // From here on everybody is somebody, and what changes something comes from the shop's own pages.
  app.use(authenticate(), csrf(), greet);
  app.post('/logout', logout({ reply: (_req, res) => res.redirect(303, '/') }));
  addOrders(app, guards, catalogue);
  addPrices(app, guards, catalogue);
  app.get('/why', async (req, res) => {
    const { permission, type, id } = req.query;
    const resource = type === undefined ? undefined : { type: String(type), id: String(id) };
    const question = { permission: String(permission), resource };
    const explanation = await guards.explain(req, question.permission, resource);
    sendPage(res, explanation.isAllowed ? 'You may' : 'Why you may not', whyMain(question, explanation));
  });
  app.use('/account', accountRoutes(ports));
  app.use(refusalPages, errors());
  return app;
}

function addOrders(app: Express, { requirePermission, can }: Guards, catalogue: Catalogue): void {
  /** The orders that the request may read: all are asked about in one call. */
  const readable = async (req: Request): Promise<Order[]> => {
    const { orders } = catalogue;
    const may = await Promise.all(
      orders.map(({ id, customer }) => can(req, 'orders:read', { type: 'order', id, properties: { customer } })),
    );
    return orders.filter((_, index) => may[index] === true);
  };
  app.post('/orders', asking('orders:place'), requirePermission('orders:place'), (req, res) => {
    const product = catalogue.product(req.body?.product);
    if (product !== undefined && req.principal !== undefined) catalogue.order(product, req.principal.subject.id);
    res.redirect(303, '/orders');
  });
  app.get('/orders', async (req, res) => {
    sendPage(res, 'Orders', ordersMain(await readable(req), req.principal?.subject.id));
  });
  app.get('/api/orders', async (req, res) => {
    res.json({ orders: await readable(req) });
  });
}

function addPrices(app: Express, { requirePermission }: Guards, catalogue: Catalogue): void {
  const productOf = (req: Request) => ({ type: 'product', id: String(req.params['id']) });
  app.use('/products/:id', asking('products:edit', productOf), requirePermission('products:edit', productOf));
  app.get('/products/:id', (req, res) => {
    const product = catalogue.product(req.params.id);
    if (product === undefined) sendPage(res, 'Not found', html`<p>There is no such product.</p>`, 404);
    else sendPage(res, product.name, priceMain(product, res.locals['csrfToken']));
  });
  app.post('/products/:id', (req, res) => {
    const price = Number(req.body?.price);
    if (price > 0 && price < 1_000_000) catalogue.setPrice(req.params.id, price);
    res.redirect(303, '/');
  });
}

async function showCatalogue({ can }: Guards, { products }: Catalogue, req: Request, res: Response): Promise<void> {
  // One call to Sallyport for all the buttons of the page.
  const [mayOrder = false, ...mayEdit] = await Promise.all([
    can(req, 'orders:place'),
    ...products.map(({ id }) => can(req, 'products:edit', { type: 'product', id })),
  ]);
  const main = catalogueMain(products, mayEdit, mayOrder, res.locals['csrfToken']);
  sendPage(res, 'Things to sit and read with', main);
}

/** Remembers what is about to be asked, so that the page of a refusal can say why. */
function asking(permission: string, resourceOf?: (req: Request) => { readonly type: string; readonly id: string }) {
  return (req: Request, res: Response, next: NextFunction): void => {
    res.locals['question'] = { permission, resource: resourceOf?.(req) };
    next();
  };
}

function greet(req: Request, res: Response, next: NextFunction): void {
  res.locals['isSomebody'] = req.principal !== undefined;
  next();
}

function replyToLogin(_req: Request, res: Response, result: LoginResult): void {
  if (result.kind === 'loggedIn') res.redirect(303, '/');
  else sendPage(res, 'One more step', codeMain(result.challenge), 202);
}
