// Keyboard, faults and themes: what holds on every page of the hub.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { get, hub, need, openBrowser, signedIn, stream, token } from './support.mjs';

let opened;
let page;

before(async () => {
  opened = await openBrowser();
  ({ page } = await signedIn(opened.browser));
});
after(() => opened.close());

const heading = (name) => page.getByRole('heading', { level: 1, name });
const pathNow = () => new URL(page.url()).pathname;

describe('keyboard', () => {
  test('g and a letter go to a page, and not while typing', async () => {
    await page.goto(`${hub}/`);
    await heading('Overview').waitFor();
    for (const [key, name] of [
      ['s', 'Streams'],
      ['g', 'Groups'],
      ['d', 'Deliveries'],
      ['t', 'Traces'],
      ['c', 'Changes'],
      ['e', 'Resources'],
      ['r', 'Routes'],
      ['o', 'Overview'],
    ]) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await heading(name).waitFor();
    }
    await page.goto(`${hub}/traces`);
    await heading('Traces').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('gs?');
    assert.equal(await page.getByRole('searchbox').inputValue(), 'gs?');
    assert.equal(pathNow(), '/traces');
  });

  test('j, k and Enter walk a list and open a row', async (t) => {
    const { items } = await get('/streams');
    if (!need(t, items[0], 'stream')) return;
    await page.goto(`${hub}/streams`);
    await page.locator('[data-row]').first().waitFor();
    for (const key of ['j', 'j', 'k', 'k']) await page.keyboard.press(key);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), items[0].name);
    await page.keyboard.press('Enter');
    await heading(new RegExp(items[0].name.replaceAll('.', '\\.'))).waitFor();
  });

  test('Ctrl+K finds a stream by a part of its name and goes there', async (t) => {
    const { items } = await get('/streams');
    if (
      !need(
        t,
        items.find((one) => one.name === stream),
        `stream ${stream}`,
      )
    )
      return;
    await page.goto(`${hub}/`);
    await heading('Overview').waitFor();
    await page.keyboard.press('Control+k');
    const box = page.getByRole('combobox');
    await box.fill(stream.slice(0, -1));
    await page
      .getByRole('option', { name: new RegExp(`^Stream\\s*${stream.replaceAll('.', '\\.')}$`) })
      .waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(`${hub}/streams/${stream}`);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('? lists the shortcuts, Escape closes the list', async () => {
    await page.goto(`${hub}/`);
    await heading('Overview').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

describe('when something is wrong', () => {
  test('an error shows code, message and a link to its trace, and can be tried again', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const problem = {
      type: '/problems/unavailable',
      title: 'unavailable',
      status: 503,
      traceId,
      code: 'UNAVAILABLE',
      message: 'the state database is locked',
    };
    await page.route('**/api/v1/routes?*', (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    );
    await page.goto(`${hub}/routes`);
    const alert = page.getByRole('alert');
    await alert.getByText('the state database is locked').waitFor();
    assert.match(await alert.innerText(), /UNAVAILABLE/);
    assert.equal(await alert.getByRole('link', { name: traceId }).getAttribute('href'), `/traces/${traceId}`);
    await page.unroute('**/api/v1/routes?*');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.locator('#main table, #main .empty').first().waitFor();
  });

  test('what was there stays, marked as old, when Weft stops answering', async () => {
    await page.goto(`${hub}/streams`);
    await page.locator('#main table, #main .empty').first().waitFor();
    await page.route('**/api/v1/streams?*', (route) => route.abort());
    await page.getByText(/Not fresh any more/).waitFor();
    assert.ok((await page.locator('#main table, #main .empty').count()) > 0);
    await page.unroute('**/api/v1/streams?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText(/Not fresh any more/).waitFor({ state: 'detached' });
  });

  test('a session that is over leads to the way in', async () => {
    await page.goto(`${hub}/streams`);
    await heading('Streams').waitFor();
    await opened.browser.clearCookies();
    await page.getByLabel('Admin token').waitFor();
    await page.getByLabel('Admin token').fill(token);
    await page.keyboard.press('Enter');
    await heading('Streams').waitFor();
  });

  test('a page and a thing that do not exist say so', async () => {
    await page.goto(`${hub}/no/such/page`);
    await heading('No such page').waitFor();
    await page.goto(`${hub}/streams/no.such.stream.v1`);
    await page.getByRole('alert').getByText('NOT_FOUND').waitFor();
  });
});

test('an answer that is not Weft’s is named as such', async () => {
  await page.route('**/api/v1/clients?*', (route) =>
    route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
  );
  await page.goto(`${hub}/clients`);
  await page
    .getByRole('alert')
    .getByText(/HTTP_502/)
    .waitFor();
  await page.unroute('**/api/v1/clients?*');
});

test('a theme is kept over a reload', async () => {
  await page.goto(`${hub}/`);
  const button = page.getByRole('button', { name: /theme, change/ });
  await button.click();
  await button.click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await button.click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
});
