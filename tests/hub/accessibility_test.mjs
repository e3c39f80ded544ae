// Every page against WCAG 2.2 A and AA as far as a program can check it, in both themes and three widths.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { get, hub, need, openBrowser, require, signedIn, stream } from './support.mjs';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const paths = [
  '/',
  '/streams',
  '/groups',
  '/deliveries',
  '/traces',
  '/routes',
  '/resources',
  '/changes',
  '/changes?tab=audit',
  '/clients',
  '/no/such/page',
];

async function moreFrom(list, pathOf) {
  const { items } = await get(`${list}?limit=1`);
  return items.map(pathOf);
}

before(async () => {
  const name = encodeURIComponent(stream);
  paths.push(
    ...[
      '',
      '?mode=offset&offset=-5&partition=0',
      '?mode=offset&key=no-such-key',
      '?tab=groups',
      '?tab=rejected',
      '?tab=partitions',
      '?tab=schema',
      '?tab=settings',
      '?tab=produce',
    ].map((tab) => `/streams/${name}${tab}`),
  );
  // One with members stays; the tests of groups delete others.
  const { items: groups } = await get('/groups');
  const lasting = groups.filter((one) => one.members > 0).slice(0, 1);
  paths.push(...lasting.map((one) => `/groups/${encodeURIComponent(one.group)}`));
  const { items: quarantines } = await get('/quarantines');
  paths.push(...quarantines.map((one) => `/streams/${encodeURIComponent(one.stream)}?tab=rejected`));
  paths.push(...(await moreFrom('/deliveries', (one) => `/deliveries/${encodeURIComponent(one.id)}`)));
  paths.push(...(await moreFrom('/traces', (one) => `/traces/${one.traceId}`)));
  paths.push(
    ...(await moreFrom(
      '/resources',
      (one) => `/resources/${encodeURIComponent(one.kind)}/${encodeURIComponent(one.name)}`,
    )),
  );
  paths.push(...(await moreFrom('/generations', (one) => `/changes/${one.number}`)));
});

async function settled(page, path) {
  await page.goto(hub + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  // Placeholders go when the data is there.
  await page.waitForFunction(() => document.querySelector('#main .skeleton') === null);
}

async function violationsOf(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      resultTypes: ['violations'],
    }),
  );
  return found.violations.map(
    (one) =>
      `${one.id}: ${one.nodes
        .map((node) => node.html.slice(0, 160))
        .slice(0, 3)
        .join(' | ')}`,
  );
}

for (const colorScheme of ['light', 'dark']) {
  describe(`accessibility, ${colorScheme}`, () => {
    let opened;
    let page;
    before(async () => {
      opened = await openBrowser({ colorScheme, reducedMotion: 'reduce' });
      ({ page } = await signedIn(opened.browser));
    });
    after(() => opened.close());

    test('no page breaks a rule', async () => {
      const found = {};
      for (const path of paths) {
        await settled(page, path);
        const violations = await violationsOf(page);
        if (violations.length > 0) found[path] = violations;
      }
      assert.deepEqual(found, {});
    });

    test('nor does the way in', async () => {
      const other = await openBrowser({ colorScheme });
      try {
        const fresh = await other.browser.newPage();
        await fresh.goto(hub);
        await fresh.getByLabel('Admin token').waitFor();
        assert.deepEqual(await violationsOf(fresh), []);
      } finally {
        await other.close();
      }
    });

    test('nor does an open dialog', async () => {
      await settled(page, '/');
      await page.keyboard.press('Control+k');
      await page.getByRole('option').first().waitFor();
      assert.deepEqual(await violationsOf(page), []);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await violationsOf(page), []);
    });

    test('nor does the dialog that resets a group, with its preview', async (t) => {
      const { items } = await get('/groups');
      const one = need(
        t,
        items.find((each) => each.members > 0 && each.streams.length > 0),
        'group with members',
      );
      if (!one) return;
      await settled(page, `/groups/${encodeURIComponent(one.group)}`);
      await page.getByRole('button', { name: 'Reset …' }).click();
      await page.getByRole('button', { name: 'Show what changes' }).click();
      await page.getByRole('region', { name: 'What changes' }).waitFor();
      assert.deepEqual(await violationsOf(page), []);
      await page.keyboard.press('Escape');
    });

    test('nothing moves for those who asked for less motion', async () => {
      await settled(page, `/streams/${encodeURIComponent(stream)}`);
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    });
  });
}

describe('layout', () => {
  let opened;
  let page;
  before(async () => {
    opened = await openBrowser();
    ({ page } = await signedIn(opened.browser));
  });
  after(() => opened.close());

  for (const width of [1440, 1024, 390]) {
    test(`no page is wider than a window of ${width} pixels, and each has one first heading`, async () => {
      await page.setViewportSize({ width, height: 800 });
      for (const path of paths) {
        await settled(page, path);
        const { wider, headings } = await page.evaluate(() => ({
          wider: document.documentElement.scrollWidth - innerWidth,
          headings: document.querySelectorAll('h1').length,
        }));
        assert.ok(wider <= 0, `${path} is ${wider} pixels too wide`);
        assert.equal(headings, 1, path);
      }
    });
  }

  test('the focus can be seen on everything that takes it', async () => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await settled(page, '/deliveries');
    await page.locator('#main').focus();
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const element = document.activeElement;
        const shows = (one) =>
          one !== null &&
          getComputedStyle(one).outlineStyle !== 'none' &&
          Number.parseFloat(getComputedStyle(one).outlineWidth) >= 2;
        return shows(element) || shows(element.closest('label'));
      });
      assert.ok(
        seen,
        `step ${step}: ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 120))}`,
      );
    }
  });
});
