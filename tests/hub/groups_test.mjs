// Consumer groups and what broke a contract, in a real browser: lag, reset, rejects, quarantine, records of a key.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, get, hub, need, openBrowser, signedIn, stream } from './support.mjs';

let opened;
let page;
let complaints;

before(async () => {
  opened = await openBrowser();
  ({ page, complaints } = await signedIn(opened.browser));
});
after(() => opened.close());

const encode = encodeURIComponent;
const dialog = () => page.getByRole('dialog');
const offsetsOf = async (group) => (await get(`/groups/${encode(group)}`)).group.offsets;
const choose = (place) => dialog().getByText(place, { exact: true }).click();

/** A group without members that has not read all, and is not at the first record. */
async function stoppedGroup(t) {
  const { items } = await get('/groups');
  for (const one of items.filter((each) => each.members === 0 && each.lag > 0)) {
    if ((await offsetsOf(one.group)).some((each) => each.offset > 0)) return one;
  }
  return need(t, undefined, 'group without members that is behind');
}

describe('groups', () => {
  test('the list and the page of a group tell how far it is behind, and draw it', async (t) => {
    const one = await stoppedGroup(t);
    if (!one) return;
    await page.goto(`${hub}/`);
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Groups' }).click();
    const row = page.getByRole('row', { name: one.group });
    await row.waitFor();
    const [, state, , lag] = (await row.innerText()).split('\t');
    assert.equal(state, one.state);
    // A stream that is written to runs away from a group that stands still.
    assert.ok(Number(lag.replaceAll(',', '')) >= one.lag, `${lag} of ${one.lag}`);
    await row.getByRole('link', { name: one.group }).click();
    await page.getByRole('heading', { level: 1, name: one.group }).waitFor();
    const chart = page.getByRole('img', { name: /Records behind .* at most/ });
    await chart.waitFor();
    assert.match(await chart.locator('path').last().getAttribute('d'), /^M0,[\d.]+L/);
    const offsets = page.getByRole('region', { name: 'Offsets' });
    assert.equal(await offsets.locator('tbody tr').count(), (await offsetsOf(one.group)).length);
    await page.getByText('Nobody reads with this group now').waitFor();
  });

  test('a reset shows what it does first, and does that', async (t) => {
    const one = await stoppedGroup(t);
    if (!one) return;
    const before = await offsetsOf(one.group);
    await page.goto(`${hub}/groups/${encode(one.group)}`);
    await page.getByRole('button', { name: 'Reset …' }).click();
    await choose('Shift');
    assert.equal(
      await dialog()
        .getByRole('button', { name: /^Reset/ })
        .count(),
      0,
      'not before a look',
    );
    await dialog().getByLabel('Records').fill('soon');
    await dialog()
      .getByText(/Give a whole number/)
      .waitFor();
    assert.ok(await dialog().getByRole('button', { name: 'Show what changes' }).isDisabled());
    await choose('Earliest');
    await dialog().getByRole('button', { name: 'Show what changes' }).click();
    const preview = dialog().getByRole('region', { name: 'What changes' });
    await preview.getByText(/are read again\. Nothing was changed yet/).waitFor();
    const rows = await preview.locator('tbody tr').allInnerTexts();
    assert.equal(rows.length, before.length);
    for (const { partition, offset } of before)
      assert.ok(
        rows.some(
          (row) => row.split('\t').slice(1).join(' ') === `${partition} ${offset} 0 ${offset} read again`,
        ),
        `${partition}: ${offset} in ${rows.join('|')}`,
      );
    assert.deepEqual(
      (await offsetsOf(one.group)).map((each) => each.offset),
      before.map((each) => each.offset),
    );

    await dialog()
      .getByRole('button', { name: /^Reset \d+ partition/ })
      .click();
    await page.getByText(/was reset in \d+ partition/).waitFor();
    assert.ok((await offsetsOf(one.group)).every((each) => each.offset === 0));
  });

  test('a group with members is not reset nor deleted, and the server says why', async (t) => {
    const { items } = await get('/groups');
    const one = need(
      t,
      items.find((each) => each.members > 0 && each.streams.length > 0),
      'group with members',
    );
    if (!one) return;
    await page.goto(`${hub}/groups/${encode(one.group)}`);
    await page.getByRole('region', { name: 'Members' }).locator('tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Reset …' }).click();
    await dialog()
      .getByText(/Its programs must be stopped/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Show what changes' }).click();
    await dialog()
      .getByRole('button', { name: /^Reset \d+ partition/ })
      .click();
    await dialog()
      .getByRole('alert')
      .getByText(/stop its programs first/)
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete …' }).click();
    await dialog().getByRole('button', { name: 'Delete the group' }).click();
    await dialog()
      .getByRole('alert')
      .getByText(/stop its programs first/)
      .waitFor();
    await page.keyboard.press('Escape');
    await get(`/groups/${encode(one.group)}`);
  });

  test('a group without members is deleted after a question', async () => {
    const group = `hub-gone-${process.pid}`;
    const made = await call('POST', `/groups/${group}/reset`, { to: 'earliest', stream });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    await page.goto(`${hub}/groups/${group}`);
    await page.getByRole('button', { name: 'Delete …' }).click();
    await dialog().getByRole('button', { name: 'Delete the group' }).click();
    await page.waitForURL(`${hub}/groups`);
    assert.equal((await call('GET', `/groups/${group}`)).status, 404);
  });
});

async function fullQuarantine(t) {
  const { items } = await get('/quarantines');
  return need(
    t,
    items.find((each) => each.records > 0),
    'record in quarantine',
  );
}

describe('what broke a contract', () => {
  test('a reject says who sent what and why, and the quarantine shows its records', async (t) => {
    const one = await fullQuarantine(t);
    if (!one) return;
    const { items } = await get(`/streams/${encode(one.stream)}/rejects`);
    const [reject] = items;
    await page.goto(`${hub}/streams/${encode(one.stream)}`);
    await page.getByRole('link', { name: `${one.records} in quarantine` }).click();
    const row = page.getByRole('region', { name: 'Rejected' }).locator('tbody tr').first();
    await row.waitFor();
    const text = await row.innerText();
    for (const part of [reject.outcome, reject.principal, reject.client, reject.reason])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.ok(text.includes(`${reject.broken} of ${reject.sent}`), text);

    await page.getByRole('link', { name: /Show its records/ }).click();
    await page.getByRole('heading', { level: 1, name: one.quarantine }).waitFor();
    const record = page.getByRole('region', { name: 'Record', exact: true });
    await record.getByText('weft-reason').waitFor();
    assert.equal(await page.locator('.records tbody tr').count(), one.records);
    assert.equal(await page.getByRole('link', { name: 'Produce a test record' }).count(), 0);
    await page.locator('.page-head').getByRole('link', { name: one.stream, exact: true }).click();
    await page.getByRole('heading', { level: 2, name: 'Quarantine' }).waitFor();
  });

  test('a redrive stores what keeps the contract now, and says how many do not', async (t) => {
    const one = await fullQuarantine(t);
    if (!one) return;
    await page.goto(`${hub}/streams/${encode(one.stream)}?tab=rejected`);
    const panel = page.getByRole('region', { name: 'Quarantine' });
    await panel.getByText(/\d records waiting/).waitFor();
    await panel.getByRole('button', { name: 'Redrive …' }).click();
    await dialog()
      .getByRole('button', { name: /^Redrive/ })
      .click();
    const result = panel.getByRole('status');
    await result.waitFor();
    const after = (await get('/quarantines')).items.find((each) => each.stream === one.stream);
    assert.ok(after.records > 0 && after.records < one.records, `${after.records} of ${one.records}`);
    const told = await result.innerText();
    assert.ok(told.includes(`${one.records - after.records} stored`), told);
    assert.ok(told.includes(`${after.records} record`), told);
    await panel.getByText(new RegExp(`^${after.records} records? waiting`)).waitFor();
  });
});

describe('a stream', () => {
  test('shows the records of one key alone', async (t) => {
    const { partitions } = await get(`/streams/${stream}`);
    const full = need(
      t,
      partitions.find((one) => one.end > one.start),
      'partition with records',
    );
    if (!full) return;
    const { items } = await get(`/streams/${stream}/records?partition=${full.partition}&offset=-20`);
    const keyed = need(
      t,
      items.find((one) => one.key && !one.key.startsWith('base64:')),
      'record with a key',
    );
    if (!keyed) return;
    await page.goto(`${hub}/streams/${stream}?mode=offset&partition=0&offset=-50`);
    await page.getByLabel(/^Key;/).fill(keyed.key);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('button', { name: `Record ${keyed.partition}:${keyed.offset}` }).waitFor();
    const keys = await page.locator('.records tbody tr td:nth-child(3)').allInnerTexts();
    assert.deepEqual(new Set(keys), new Set([keyed.key]));
    assert.match(page.url(), /key=/);
    await page.getByRole('button', { name: 'All keys' }).click();
    await page.waitForURL((url) => !url.search.includes('key='));
  });

  test('says what its settings do', async () => {
    const { stream: described } = await get(`/streams/${stream}`);
    await page.goto(`${hub}/streams/${stream}?tab=settings`);
    const settings = page.getByRole('region', { name: 'Settings' });
    await settings.getByText('Dedupe').waitFor();
    const text = await settings.innerText();
    for (const word of ['Retention', 'Durability', described.durability, 'Validation', described.validation])
      assert.ok(text.includes(word), word);
    assert.ok(!text.includes('undefined'), text);
  });
});

test('no page made the browser complain or call another host', () => {
  assert.deepEqual(complaints, []);
});
