// What the hub's browser tests share. HUB_URL and HUB_TOKEN name the Weft under test. A test that needs
// something that this Weft does not have (a dead letter, say) is skipped, unless HUB_COMPLETE=1 says that
// everything is there.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');

export const hub = process.env.HUB_URL?.replace(/\/$/, '');
export const token = process.env.HUB_TOKEN;
if (!hub || !token) throw new Error('HUB_URL and HUB_TOKEN must name the Weft under test');

export const stream = process.env.HUB_STREAM ?? 'orders.order.created.v1';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with an empty profile. */
export async function openBrowser(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'weft-hub-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: flags,
    viewport: { width: 1440, height: 900 },
    ...options,
  });
  // Only a wait that would fail anyway takes that long; a busy machine may starve the browser for many seconds.
  browser.setDefaultTimeout(60_000);
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

// The browser notes each refused request on its console; what the page makes of it is tested where it is meant.
const isRefusal = (message) => message.text().startsWith('Failed to load resource');

/** A page that is signed in, with what it complained about. */
export async function signedIn(browser) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on(
    'console',
    (message) =>
      message.type() === 'error' && !isRefusal(message) && complaints.push(`console: ${message.text()}`),
  );
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(hub).origin)
      complaints.push(`foreign request: ${request.url()}`);
  });
  await page.goto(`${hub}/#token=${encodeURIComponent(token)}`);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  return { page, complaints };
}

/** Calls the admin API as the command line does. */
export async function call(method, path, body) {
  const response = await fetch(`${hub}/api/v1${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

export async function get(path) {
  const { status, body } = await call('GET', path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** The thing that a test needs; without it the test is skipped and undefined comes back. */
export function need(test, thing, what) {
  if (thing !== undefined && thing !== null) return thing;
  if (process.env.HUB_COMPLETE === '1') throw new Error(`this Weft has no ${what}`);
  test.skip(`this Weft has no ${what}`);
  return undefined;
}

/** A value that the stream takes: what the stream offers as a sample, or the example estate's order. */
export async function validValue() {
  const { sample } = await get(`/streams/${stream}`);
  if (sample) return sample;
  try {
    return readFileSync(new URL('../../examples/orders/order.json', import.meta.url), 'utf8');
  } catch {
    return undefined;
  }
}
