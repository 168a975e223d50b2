import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TOTP } from 'otpauth';
import type { Page } from 'playwright-core';
import { PASSWORD } from '../src/seed.ts';
import { chromiumPath, openBrowser } from './support/chromium.ts';
import { openService, openShop } from './support/open-shop.ts';

// The shop as people see it, in a real browser.

const executable = chromiumPath();
// With CI=true nothing is skipped: there the missing browser is a failure.
const isMissing = executable === undefined && process.env['CI'] !== 'true';
const skip = isMissing ? 'no Chromium: install it, or name one in CHROMIUM' : false;

const { origin } = await openShop(await openService());

/** A page of a browser in which nobody is logged in. */
async function freshPage(): Promise<Page> {
  const context = await openBrowser(executable ?? '');
  return context.newPage();
}

async function logIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.goto(`${origin}/login`);
  await page.getByLabel('Email').fill(`${name}@shop.example`);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** For the README: `SCREENSHOTS=1 npm test`. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== '1') return;
  await page.screenshot({ path: join(import.meta.dirname, '..', 'screenshots', `${name}.png`) });
}

test('a customer logs in, orders, sees their own order, and logs out', { skip }, async () => {
  const page = await freshPage();
  await page.goto(origin);
  assert.equal(await page.getByRole('button', { name: 'Order' }).count(), 0);
  await page.getByRole('link', { name: 'Log in' }).click();
  await logIn(page, 'carla', 'wrong');
  assert.equal(await page.getByRole('status').textContent(), 'The name or the password is wrong.');
  await logIn(page, 'carla');
  await page.waitForURL(`${origin}/`);
  const [cookie] = await page.context().cookies();
  assert.deepEqual(
    [cookie?.name, cookie?.httpOnly, cookie?.secure, cookie?.sameSite],
    ['__Host-session', true, true, 'Lax'],
  );
  await page.locator('.card', { hasText: 'Reading lamp' }).getByRole('button', { name: 'Order' }).click();
  await page.waitForURL(`${origin}/orders`);
  assert.deepEqual(await page.locator('tr', { hasText: 'Reading lamp' }).locator('td').allTextContents(), [
    '1',
    'Reading lamp',
    'you',
  ]);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${origin}/`);
  await page.goto(`${origin}/orders`);
  assert.equal(page.url(), `${origin}/login`);
});

test('an editor of the lamp changes its price and no other, and is told why', { skip }, async () => {
  const page = await freshPage();
  await logIn(page, 'ed');
  await page.waitForURL(`${origin}/`);
  await picture(page, 'catalogue');
  assert.equal(await page.getByRole('link', { name: 'Change price' }).count(), 1);
  await page.getByRole('link', { name: 'Change price' }).click();
  await page.getByLabel('Price in EUR').fill('85');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(`${origin}/`);
  assert.match((await page.locator('.card', { hasText: 'Reading lamp' }).textContent()) ?? '', /85 EUR/);
  const refused = await page.goto(`${origin}/products/chair`);
  assert.equal(refused?.status(), 403);
  await page.getByRole('link', { name: 'Why was I refused?' }).click();
  assert.equal(await page.getByRole('status').textContent(), 'products:edit on product chair: NO_MATCH');
  assert.ok((await page.locator('ol.steps li').count()) > 0);
  await picture(page, 'why');
});

test('a manager sees the orders of everybody and changes every price', { skip }, async () => {
  const page = await freshPage();
  await logIn(page, 'mona');
  await page.waitForURL(`${origin}/`);
  assert.equal(await page.getByRole('link', { name: 'Change price' }).count(), 3);
  await page.goto(`${origin}/orders`);
  assert.equal(await page.getByText('another customer').count(), 1);
});

test("an API key reads its owner's orders, and nothing once it is revoked", { skip }, async () => {
  const page = await freshPage();
  await logIn(page, 'carla');
  await page.waitForURL(`${origin}/`);
  await page.goto(`${origin}/account`);
  await page.getByLabel('Name').fill('Monthly spreadsheet');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const key = (await page.locator('#api-key').textContent()) ?? '';
  const ask = (path: string, method = 'GET') => fetch(origin + path, { method, headers: { 'x-api-key': key } });
  assert.deepEqual(await (await ask('/api/orders')).json(), {
    orders: [{ id: '1', product: 'Reading lamp', customer: await customerOf(ask) }],
  });
  // Its scopes do not reach further, whatever its owner may do, and it makes no keys.
  assert.equal((await ask('/orders', 'POST')).status, 403);
  assert.equal((await ask('/account')).status, 403);
  await page.goto(`${origin}/account`);
  await picture(page, 'account');
  const row = page.locator('tr', { hasText: 'Monthly spreadsheet' });
  await row.getByRole('button', { name: 'Revoke' }).click();
  await row.waitFor({ state: 'detached' });
  assert.equal((await ask('/api/orders')).status, 401);
});

async function customerOf(ask: (path: string) => Promise<Response>): Promise<string> {
  const { orders } = (await (await ask('/api/orders')).json()) as { orders: { customer: string }[] };
  return orders[0]?.customer ?? '';
}

test('a second factor is turned on with a code, and asked for at the next login', { skip }, async () => {
  const page = await freshPage();
  await logIn(page, 'mona');
  await page.waitForURL(`${origin}/`);
  await page.goto(`${origin}/account`);
  await page.getByLabel('Email').fill('mona@shop.example');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Turn it on' }).click();
  const totp = new TOTP({ secret: (await page.locator('#secret').textContent()) ?? '' });
  assert.equal(await page.locator('.qr svg').count(), 1);
  await page.getByLabel('The code that the app shows').fill(totp.generate());
  await page.getByRole('button', { name: 'Confirm' }).click();
  assert.equal(await page.getByRole('status').textContent(), 'From now on a login asks for a code.');
  assert.equal(await page.locator('li').count(), 10);
  // The session that began with it goes on.
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${origin}/`);
  await logIn(page, 'mona');
  await page.getByLabel('Code from your app').fill(totp.generate({ timestamp: Date.now() + 30_000 }));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${origin}/`);
  assert.equal(await page.getByRole('link', { name: 'Account' }).count(), 1);
});

test("a page of somebody else orders nothing in a visitor's name", { skip }, async () => {
  const evil = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${origin}/orders"><input name="product" value="desk"></form>
      <script>document.forms[0].submit()</script>`);
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  after(() => evil.close());
  const address = evil.address();
  const page = await freshPage();
  await logIn(page, 'carla');
  await page.waitForURL(`${origin}/`);
  // Also for a browser that sends the cookie along: the origin and the missing token are refused by themselves.
  const [cookie] = await page.context().cookies();
  const forged = await fetch(`${origin}/orders`, {
    method: 'POST',
    headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: 'http://127.0.0.1:1', accept: 'text/html' },
    body: new URLSearchParams({ product: 'desk' }),
  });
  assert.equal(forged.status, 403);
  const answered = page.waitForResponse(`${origin}/orders`);
  await page.goto(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  assert.equal((await answered).status(), 401);
  await page.goto(`${origin}/orders`);
  assert.equal(await page.getByText('Oak desk').count(), 0);
});
