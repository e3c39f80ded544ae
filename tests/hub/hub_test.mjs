// The hub in a real browser, as an operator uses it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, get, hub, need, openBrowser, signedIn, stream, token, validValue } from './support.mjs';

let opened;
let page;
let complaints;

before(async () => {
  opened = await openBrowser();
  ({ page, complaints } = await signedIn(opened.browser));
});
after(() => opened.close());

const heading = (name) => page.getByRole('heading', { level: 1, name });
const mainText = () => page.locator('#main').innerText();

describe('signing in', () => {
  test('the link from the terminal signs in and takes the token out of the address and the history', async () => {
    const other = await openBrowser();
    try {
      const { page: fresh } = await signedIn(other.browser);
      assert.equal(fresh.url(), `${hub}/`);
      assert.ok(
        !(
          await fresh.evaluate(() =>
            JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }]),
          )
        ).includes(token),
      );
      assert.equal(
        await fresh.evaluate(() => document.cookie),
        '',
        'the session cookie is out of reach of scripts',
      );
      await fresh.reload();
      await fresh.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    } finally {
      await other.close();
    }
  });

  test('a wrong token is refused with its code and a trace id, the right one leads to the page that was asked for', async () => {
    const other = await openBrowser();
    try {
      const fresh = await other.browser.newPage();
      await fresh.goto(`${hub}/streams`);
      await fresh.getByLabel('Admin token').fill('not-the-token');
      await fresh.keyboard.press('Enter');
      const alert = fresh.getByRole('alert');
      await alert.waitFor();
      assert.match(await alert.innerText(), /UNAUTHENTICATED[\s\S]*[0-9a-f]{32}/);
      await fresh.getByLabel('Admin token').fill(token);
      await fresh.keyboard.press('Enter');
      await fresh.getByRole('heading', { level: 1, name: 'Streams' }).waitFor();
    } finally {
      await other.close();
    }
  });

  test('signing out ends the session on the server too', async () => {
    const other = await openBrowser();
    try {
      const { page: fresh } = await signedIn(other.browser);
      const cookies = await other.browser.cookies(`${hub}/api/v1/session`);
      await fresh.getByRole('button', { name: 'Sign out' }).click();
      await fresh.getByLabel('Admin token').waitFor();
      const again = await fetch(`${hub}/api/v1/session`, {
        headers: { Cookie: cookies.map((one) => `${one.name}=${one.value}`).join('; ') },
      });
      assert.equal(again.status, 401);
    } finally {
      await other.close();
    }
  });
});

describe('overview', () => {
  test('shows the node, its figures and what needs attention as the API tells them', async () => {
    await page.goto(`${hub}/`);
    await page.getByText('Gateway p95').waitFor();
    const health = await get('/health');
    const overview = await get('/overview');
    const text = await mainText();
    assert.ok(text.includes(`Weft ${health.version}`));
    for (const check of health.checks) assert.ok(text.includes(check.name), `check ${check.name}`);
    for (const item of overview.attention) assert.ok(text.includes(item.what), item.what);
    if (overview.attention.length === 0) assert.ok(text.includes('Nothing needs attention'));
  });

  test('draws the series of the last 15 minutes', async (t) => {
    const overview = await get('/overview');
    const busy = overview.series.some((point) => point.requests + point.records > 0) || undefined;
    if (!need(t, busy, 'traffic in the last 15 minutes')) return;
    await page.goto(`${hub}/`);
    const chart = page.getByRole('img', { name: /Requests .* at most/ });
    await chart.waitFor();
    const line = await chart.locator('path').first().getAttribute('d');
    assert.match(line, /^M0,[\d.]+L/);
    assert.ok(!line.includes('NaN'));
  });
});

describe('streams', () => {
  test('a produced record shows up live, decoded, with every digit, its headers and a link to its trace', async (t) => {
    const value = need(t, await validValue(), 'valid value to produce');
    if (!value) return;
    await page.goto(`${hub}/streams/${stream}`);
    await page.getByText(/^live, /).waitFor();
    const key = `hub-test-${process.pid}-${Math.round(performance.now())}`;
    const produced = await call('POST', `/streams/${stream}/records`, {
      key,
      valueText: value,
      headers: [{ name: 'source', value: 'hub-test' }],
    });
    assert.equal(produced.status, 201, JSON.stringify(produced.body));
    const { partition, offset, traceId } = produced.body;
    const row = page.getByRole('row', { name: key });
    await row.waitFor();
    // On a busy stream rows move on while one is aimed at; a filter leaves the one.
    await page.getByLabel('Filter records').fill(key);
    await page.locator('.records tbody tr').nth(1).waitFor({ state: 'detached' });
    await row.click();
    const record = page.getByRole('region', { name: 'Record', exact: true });
    await record.getByText(`partition ${partition}, offset ${offset}`).waitFor();
    const text = await record.innerText();
    assert.ok(text.includes('source') && text.includes('hub-test'), 'headers');
    for (const digits of value.match(/\d+\.\d+/g) ?? []) assert.ok(text.includes(digits), digits);
    assert.equal(
      await record.getByRole('link', { name: traceId }).getAttribute('href'),
      `/traces/${traceId}`,
    );
    await record.getByText('Raw').click();
    assert.ok((await record.getByLabel('Text').innerText()).includes(value.trim().slice(0, 40)));
  });

  test('pause holds the list still, resume catches up', async (t) => {
    const value = need(t, await validValue(), 'valid value to produce');
    if (!value) return;
    await page.goto(`${hub}/streams/${stream}`);
    await page.getByText(/^live, /).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const key = `hub-pause-${process.pid}-${Math.round(performance.now())}`;
    await call('POST', `/streams/${stream}/records`, { key, valueText: value });
    await page.getByRole('button', { name: /Resume \(\d+ new\)/ }).waitFor();
    assert.equal(await page.getByRole('row', { name: key }).count(), 0);
    await page.keyboard.press('Escape');
    await page.locator('#main').focus();
    await page.keyboard.press('Space');
    await page.getByRole('row', { name: key }).waitFor();
  });

  test('Space presses the button that has the focus instead of pausing', async (t) => {
    const { partitions } = await get(`/streams/${stream}`);
    if (
      !need(
        t,
        partitions.find((one) => one.end > one.start),
        'record',
      )
    )
      return;
    await page.goto(`${hub}/streams/${stream}`);
    await page
      .getByRole('button', { name: /^Record / })
      .first()
      .waitFor();
    const before = await page.getByRole('button', { name: /^Record / }).count();
    await page.getByRole('button', { name: 'Clear' }).focus();
    await page.keyboard.press('Space');
    await page.waitForFunction(
      (count) => document.querySelectorAll('.records tbody tr').length < count,
      before,
    );
    assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 1);
  });

  test('reads from an offset', async (t) => {
    const { partitions } = await get(`/streams/${stream}`);
    const full = need(
      t,
      partitions.find((one) => one.end - one.start >= 1),
      'partition with records',
    );
    if (!full) return;
    const offset = full.end - 1;
    await page.goto(`${hub}/streams/${stream}?mode=offset&partition=${full.partition}&offset=${offset}`);
    await page.getByRole('button', { name: `Record ${full.partition}:${offset}` }).waitFor();
    const first = await page.locator('.records tbody tr').first().innerText();
    assert.ok(first.includes(`${full.partition}:${offset}`));
  });

  test('reads from a time', async (t) => {
    const { partitions } = await get(`/streams/${stream}`);
    const full = need(
      t,
      partitions.find((one) => one.end - one.start >= 1),
      'partition with records',
    );
    if (!full) return;
    const { items } = await get(`/streams/${stream}/records?partition=${full.partition}&offset=-1`);
    await page.goto(
      `${hub}/streams/${stream}?mode=time&partition=${full.partition}&time=${encodeURIComponent(items[0].timestamp)}`,
    );
    await page
      .getByRole('button', { name: /^Record / })
      .first()
      .waitFor();
    const ids = await page.locator('.records tbody tr button').allInnerTexts();
    assert.ok(ids.includes(`${full.partition}:${items[0].offset}`));
  });

  test('an offset beyond the end is an error that says what there is', async () => {
    await page.goto(`${hub}/streams/${stream}?mode=offset&partition=0&offset=999999999999`);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /OUT_OF_RANGE/);
  });

  test('the form refuses a value that breaks the schema and names the field', async (t) => {
    const { schema } = await get(`/streams/${stream}`);
    if (!need(t, schema, 'schema on the stream')) return;
    await page.goto(`${hub}/streams/${stream}?tab=produce`);
    await page.getByLabel(/Value, stored exactly/).fill('{"unexpected": 1}');
    await page.getByRole('button', { name: 'Produce' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /SCHEMA_VIOLATION[\s\S]*[0-9a-f]{32}/);
    assert.ok((await alert.locator('li').count()) > 0);
  });

  test('the form stores a valid value and leads to the record', async (t) => {
    const value = need(t, await validValue(), 'valid value to produce');
    if (!value) return;
    await page.goto(`${hub}/streams/${stream}?tab=produce`);
    await page.getByLabel(/Value, stored exactly/).fill(value);
    await page.getByRole('textbox', { name: 'Key' }).fill('hub-form');
    await page.getByRole('button', { name: 'Produce' }).click();
    await page.getByRole('link', { name: /Show the record/ }).click();
    await page.getByRole('region', { name: 'Record', exact: true }).getByText('hub-form').waitFor();
  });

  test('groups and partitions are those of the API', async () => {
    const detail = await get(`/streams/${stream}`);
    await page.goto(`${hub}/streams/${stream}?tab=partitions`);
    await page.getByRole('row').nth(1).waitFor();
    assert.equal(await page.locator('tbody tr').count(), detail.partitions.length);
    await page.goto(`${hub}/streams/${stream}?tab=groups`);
    for (const { group } of detail.groups) await page.getByText(group, { exact: true }).first().waitFor();
  });
});

describe('deliveries', () => {
  test('a filter shows only what it names and stands in the address', async () => {
    await page.goto(`${hub}/deliveries`);
    await page.getByText('Delivered', { exact: true }).click();
    await page.waitForURL(/status=delivered/);
    await page.getByRole('region', { name: 'Deliveries' }).waitFor();
    const statuses = await page
      .getByRole('region', { name: 'Deliveries' })
      .locator('tbody .badge')
      .allInnerTexts();
    assert.ok(
      statuses.every((status) => status === 'delivered'),
      statuses.join(),
    );
  });

  test('each attempt shows its request and its response, without secrets', async (t) => {
    const { items } = await get('/deliveries?limit=100');
    const tried = need(
      t,
      items.find((one) => one.attempts > 0),
      'delivery that was tried',
    );
    if (!tried) return;
    const { attempts } = await get(`/deliveries/${encodeURIComponent(tried.id)}`);
    await page.goto(`${hub}/deliveries/${encodeURIComponent(tried.id)}`);
    const request = page.getByRole('region', { name: 'Request' }).first();
    await request.waitFor();
    assert.equal(await page.locator('.attempt').count(), attempts.length);
    const text = await request.innerText();
    assert.ok(text.includes(attempts.at(-1).request.url));
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
      assert.ok(text.toLowerCase().includes(name), name);
    assert.match(text, /webhook-signature\s+\[redacted\]/i);
    const answer = await page.getByRole('region', { name: 'Response' }).first().innerText();
    assert.ok(
      answer.includes(
        attempts.at(-1).response ? `HTTP ${attempts.at(-1).response.status}` : attempts.at(-1).error,
      ),
    );
  });

  test('a dead letter is redriven after a question', async (t) => {
    const { items } = await get('/deliveries?status=dead&limit=1');
    const dead = need(t, items[0], 'dead letter');
    if (!dead) return;
    await page.goto(`${hub}/deliveries/${encodeURIComponent(dead.id)}`);
    await page.getByRole('button', { name: 'Redrive' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(dead.subscription).waitFor();
    await dialog.getByRole('button', { name: 'Redrive' }).click();
    await page.getByText(`${dead.id} is on its way again.`).waitFor();
    const now = await get(`/deliveries/${encodeURIComponent(dead.id)}`);
    assert.ok(now.delivery.status !== 'dead' || now.attempts.length > dead.attempts);
  });

  test('a question can be cancelled with the keyboard and nothing happens', async (t) => {
    const { items } = await get('/subscriptions');
    const one = need(
      t,
      items.find((each) => each.dead > 0 && each.status === 'active'),
      'subscription with dead letters',
    );
    if (!one) return;
    await page.goto(`${hub}/deliveries`);
    await page
      .getByRole('row', { name: new RegExp(`^${one.name} `) })
      .getByRole('button', { name: /Redrive/ })
      .click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const after = (await get('/subscriptions')).items.find((each) => each.name === one.name);
    assert.equal(after.dead, one.dead);
  });

  test('all dead letters of a subscription are redriven after a question', async (t) => {
    const { items } = await get('/subscriptions');
    const one = need(
      t,
      items.find((each) => each.dead > 0 && each.status === 'active'),
      'subscription with dead letters',
    );
    if (!one) return;
    await page.goto(`${hub}/deliveries`);
    await page
      .getByRole('row', { name: new RegExp(`^${one.name} `) })
      .getByRole('button', { name: /Redrive/ })
      .click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Redrive/ })
      .click();
    await page.getByText(new RegExp(`of ${one.name} sent again`)).waitFor();
  });
});

describe('traces', () => {
  test('a waterfall has a bar for each span and shows what the chosen one carries', async (t) => {
    const { items } = await get('/traces?limit=20');
    const summary = need(
      t,
      items.find((one) => one.spanCount > 2),
      'trace with some spans',
    );
    if (!summary) return;
    const trace = await get(`/traces/${summary.traceId}`);
    await page.goto(`${hub}/traces/${summary.traceId}`);
    await page.locator('.waterfall .row').first().waitFor();
    assert.equal(await page.locator('.waterfall .row').count(), trace.spans.length);
    assert.equal(
      await page.locator('.waterfall .row.failed').count(),
      trace.spans.filter((span) => span.failed).length,
    );
    await page.locator('#main').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const chosen = await page.locator('.waterfall .row[aria-current="true"] .cut').innerText();
    const panel = page.getByRole('region', { name: 'Span', exact: true });
    assert.equal(await panel.getByRole('heading', { level: 2 }).innerText(), chosen);
    const span = trace.spans.find((one) => one.name === chosen);
    for (const name of Object.keys(span.attributes))
      assert.ok((await panel.innerText()).includes(name), name);
  });

  test('bars lie within the axis and children do not start before their parent', async (t) => {
    const { items } = await get('/traces?limit=20');
    const summary = need(
      t,
      items.find((one) => one.spanCount > 2),
      'trace with some spans',
    );
    if (!summary) return;
    await page.goto(`${hub}/traces/${summary.traceId}`);
    await page.locator('.waterfall .row').first().waitFor();
    const outside = await page.locator('.waterfall .row .track').evaluateAll(
      (tracks) =>
        tracks.filter((track) => {
          const frame = track.getBoundingClientRect();
          const bar = track.querySelector('.bar-mark').getBoundingClientRect();
          return bar.left < frame.left - 1 || bar.right > frame.right + 3;
        }).length,
    );
    assert.equal(outside, 0);
  });

  test('a trace id in the search leads to the trace', async (t) => {
    const { items } = await get('/traces?limit=1');
    const summary = need(t, items[0], 'trace');
    if (!summary) return;
    await page.goto(`${hub}/traces`);
    await page.getByRole('searchbox').fill(summary.traceId);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${hub}/traces/${summary.traceId}`);
  });

  test('“failed only” is asked of the server', async () => {
    await page.goto(`${hub}/traces`);
    const asked = page.waitForRequest((request) => request.url().includes('errorsOnly=true'));
    await page.getByLabel('Failed only').check();
    await asked;
    assert.match(page.url(), /errorsOnly=true/);
  });
});

describe('changes and resources', () => {
  test('an audit entry opens to what changed', async (t) => {
    const { items } = await get('/audit?limit=50');
    const at = items.findIndex((entry) => entry.after);
    if (!need(t, at < 0 ? undefined : items[at], 'audit entry with a document')) return;
    await page.goto(`${hub}/changes?tab=audit`);
    await page.locator('.change summary').nth(at).click();
    const difference = page.getByRole('region', { name: 'Difference' });
    await difference.waitFor();
    assert.ok((await difference.locator('tr.added, tr.removed').count()) > 0);
    await page.getByText(items[at].hash).waitFor();
  });

  test('a generation lists its changes', async (t) => {
    const { items } = await get('/generations?limit=1');
    const generation = need(t, items[0], 'generation');
    if (!generation) return;
    await page.goto(`${hub}/changes/${generation.number}`);
    await heading(new RegExp(`Generation ${generation.number}`)).waitFor();
    await page.getByText('current', { exact: true }).waitFor();
  });

  test('a resource shows as YAML and as JSON', async (t) => {
    const { items } = await get('/resources?limit=1');
    const resource = need(t, items[0], 'resource');
    if (!resource) return;
    await page.goto(
      `${hub}/resources/${encodeURIComponent(resource.kind)}/${encodeURIComponent(resource.name)}`,
    );
    assert.ok(
      (await page.getByLabel('YAML', { exact: true }).last().innerText()).includes(`kind: ${resource.kind}`),
    );
    await page.getByText('JSON', { exact: true }).click();
    const document = JSON.parse(await page.locator('pre[aria-label="JSON"]').innerText());
    assert.equal(document.metadata.name, resource.name);
  });

  test('routes are those of the gateway', async () => {
    const { items } = await get('/routes');
    await page.goto(`${hub}/routes`);
    await heading('Routes').waitFor();
    await page.locator('#main table, #main .empty').first().waitFor();
    const text = await mainText();
    for (const route of items) assert.ok(text.includes(route.path), route.path);
  });
});

test('no page made the browser complain or call another host', () => {
  assert.deepEqual(complaints, []);
});
