// The running API against its own OpenAPI document: answers, errors, sessions, lists.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { call, get, hub, need, require, stream, token } from './support.mjs';

const { default: Ajv } = require('ajv/dist/2020.js');
const { parse } = require('yaml');

const openapi = parse(readFileSync(new URL('../../src/app/api/admin.openapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addFormat('int32', {
  type: 'number',
  validate: (value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31,
});
ajv.addFormat('int64', { type: 'number', validate: Number.isInteger });
ajv.addFormat('date-time', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/);
ajv.addSchema({ $id: 'weft', components: openapi.components });

function assertFits(schema, value, what) {
  const named = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"weft#/components'));
  const validate = ajv.compile(named);
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors, { separator: '\n' })}`);
}

const answerOf = (path, method, status) => {
  const response = openapi.paths[path][method].responses[status];
  return Object.values(response.content)[0].schema;
};
const problemSchema = { $ref: '#/components/schemas/Problem' };

async function assertAnswers(path, actual) {
  const { status, headers, body } = await call('GET', actual);
  assert.equal(status, 200, `${actual}: ${JSON.stringify(body)}`);
  assert.match(headers.get('content-type'), /^application\/json/);
  assertFits(answerOf(path, 'get', '200'), body, actual);
  return body;
}

function assertProblem({ status, headers, body }, code) {
  assert.match(headers.get('content-type'), /^application\/problem\+json/);
  assertFits(problemSchema, body, `problem ${status}`);
  assert.equal(body.status, status);
  if (code) assert.equal(body.code, code);
}

describe('answers fit the document', () => {
  const single = ['/session', '/health', '/overview', '/openapi.json'];
  const lists = [
    '/streams',
    '/quarantines',
    '/groups',
    '/subscriptions',
    '/deliveries',
    '/traces',
    '/routes',
    '/resources',
    '/generations',
    '/audit',
    '/clients',
  ];
  for (const path of [...single, ...lists]) test(`GET ${path}`, () => assertAnswers(path, path));

  test('GET /streams/{stream}, its records and what it rejected', async () => {
    await assertAnswers('/streams/{stream}', `/streams/${stream}`);
    await assertAnswers('/streams/{stream}/records', `/streams/${stream}/records?offset=-5&partition=0`);
    await assertAnswers('/streams/{stream}/records', `/streams/${stream}/records?key=no-such-key`);
    await assertAnswers('/streams/{stream}/rejects', `/streams/${stream}/rejects`);
    for (const { stream: broken } of (await get('/quarantines')).items)
      await assertAnswers('/streams/{stream}/rejects', `/streams/${broken}/rejects`);
  });

  const details = [
    ['/deliveries', '/deliveries/{delivery}', (one) => `/deliveries/${encodeURIComponent(one.id)}`],
    [
      '/subscriptions',
      '/subscriptions/{subscription}',
      (one) => `/subscriptions/${encodeURIComponent(one.name)}`,
    ],
    ['/groups', '/groups/{group}', (one) => `/groups/${encodeURIComponent(one.group)}`],
    ['/traces', '/traces/{traceId}', (one) => `/traces/${one.traceId}`],
    [
      '/resources',
      '/resources/{kind}/{name}',
      (one) => `/resources/${encodeURIComponent(one.kind)}/${encodeURIComponent(one.name)}`,
    ],
    ['/generations', '/generations/{number}', (one) => `/generations/${one.number}`],
  ];
  for (const [list, path, actual] of details) {
    test(`GET ${path}`, async (t) => {
      const { items } = await get(`${list}?limit=20`);
      if (!need(t, items[0], `item in ${list}`)) return;
      for (const item of items) await assertAnswers(path, actual(item));
    });
  }

  test('GET /audit/verify, and the chain is whole', async () => {
    assert.equal((await assertAnswers('/audit/verify', '/audit/verify')).intact, true);
  });

  test('the document that is served is the document in the repository', async () => {
    assert.deepEqual(await get('/openapi.json'), openapi);
  });

  test('the live tail sends records as server-sent events', async (t) => {
    const { partitions } = await get(`/streams/${stream}`);
    if (!need(t, partitions.some((one) => one.end > one.start) || undefined, 'record')) return;
    const abort = new AbortController();
    const response = await fetch(`${hub}/api/v1/streams/${stream}/tail?from=-1`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: abort.signal,
    });
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    let text = '';
    for await (const piece of response.body) {
      text += Buffer.from(piece).toString();
      if (/\nevent: record\n[\s\S]*\n\n/.test(`\n${text}`)) break;
    }
    abort.abort();
    const data = /^data: (.*)$/m.exec(text)[1];
    assertFits({ $ref: '#/components/schemas/Record' }, JSON.parse(data), 'record of the tail');
    assert.match(text, /^id: /m);
  });
});

describe('errors fit the document', () => {
  test('without credentials', async () => {
    for (const path of ['/health', '/streams', `/streams/${stream}/tail`, '/openapi.json']) {
      const response = await fetch(`${hub}/api/v1${path}`);
      assertProblem(
        { status: response.status, headers: response.headers, body: await response.json() },
        'UNAUTHENTICATED',
      );
      assert.equal(response.status, 401);
    }
  });

  const missing = [
    '/streams/no.such.v1',
    '/deliveries/no-such',
    '/subscriptions/no-such',
    '/groups/no-such',
    '/streams/no.such.v1/rejects',
    `/traces/${'0'.repeat(31)}1`,
    '/resources/Stream/no-such',
    '/generations/999999999',
    '/no-such-path',
  ];
  for (const path of missing) {
    test(`GET ${path} is 404`, async () => {
      const answer = await call('GET', path);
      assert.equal(answer.status, 404);
      assertProblem(answer, 'NOT_FOUND');
    });
  }

  test('an offset outside the partition is 416 and names the range', async () => {
    const answer = await call('GET', `/streams/${stream}/records?partition=0&offset=999999999999`);
    assert.equal(answer.status, 416);
    assertProblem(answer, 'OUT_OF_RANGE');
    assert.ok(Number.isInteger(answer.body.details.start) && Number.isInteger(answer.body.details.end));
  });

  test('a limit outside its range is 400', async () => {
    for (const limit of ['0', '501', 'x']) {
      const answer = await call('GET', `/streams?limit=${limit}`);
      assert.equal(answer.status, 400, limit);
      assertProblem(answer, 'INVALID_ARGUMENT');
    }
  });

  test('a body that is not JSON is 400', async () => {
    const response = await fetch(`${hub}/api/v1/streams/${stream}/records`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: '{"valueText":',
    });
    assertProblem(
      { status: response.status, headers: response.headers, body: await response.json() },
      'INVALID_ARGUMENT',
    );
    assert.equal(response.status, 400);
  });
});

describe('what an answer says', () => {
  test('a stream tells who reads it, consumer groups and subscriptions', async (t) => {
    const { items } = await get('/subscriptions');
    const one = need(
      t,
      items.find((each) => each.status === 'active' && each.stream === stream),
      `active subscription to ${stream}`,
    );
    if (!one) return;
    const { groups, partitions } = await get(`/streams/${stream}`);
    const reader = groups.find((each) => each.group === one.name && each.kind === 'subscription');
    assert.ok(reader, JSON.stringify(groups));
    assert.equal(reader.offsets.length, partitions.length);
    assert.equal(
      reader.lag,
      reader.offsets.reduce((sum, each) => sum + each.lag, 0),
    );
  });

  test('a stream that is written to has a rate and the time of its last record', async (t) => {
    const { stream: described, partitions } = await get(`/streams/${stream}`);
    if (!need(t, partitions.some((one) => one.end > one.start) || undefined, 'record')) return;
    assert.ok(described.recordsPerSecond >= 0);
    const lasts = await Promise.all(
      partitions
        .filter((one) => one.end > one.start)
        .map((one) => get(`/streams/${stream}/records?partition=${one.partition}&offset=-1`)),
    );
    const latest = Math.max(...lasts.map(({ items }) => Date.parse(items.at(-1).timestamp)));
    const { stream: now } = await get(`/streams/${stream}`);
    // Two records that arrive at once may stand in either order of their times.
    assert.ok(Date.parse(now.lastRecordAt) >= latest - 1000, `${now.lastRecordAt} of ${latest}`);
  });

  test('traces are found by text that looks like a number, and by part of a millisecond', async (t) => {
    const all = await get('/traces?limit=50');
    const trace = need(t, all.items[0], 'trace');
    if (!trace) return;
    for (const service of trace.services) assert.ok(all.services.includes(service), service);
    assert.deepEqual(
      (await get(`/traces?q=${trace.traceId}`)).items.map((one) => one.traceId),
      [trace.traceId],
    );
    assert.ok(
      (await get('/traces?minDurationMs=0.5&limit=20')).items.every((one) => one.durationMs >= 0.5),
    );
    // "added" is a word as well as the beginning of an id.
    assert.equal((await call('GET', '/traces?q=added')).status, 200);
    assertProblem(await call('GET', '/traces?minDurationMs=soon'), 'INVALID_ARGUMENT');
  });

  test('the audit trail is searched by kind, by name and by actor', async (t) => {
    const { items } = await get('/audit?limit=50');
    const entry = need(
      t,
      items.find((one) => one.kind && one.name),
      'audit entry of a resource',
    );
    if (!entry) return;
    for (const field of ['kind', 'name', 'actor']) {
      const found = await get(`/audit?limit=500&${field}=${encodeURIComponent(entry[field])}`);
      assert.ok(
        found.items.some((one) => one.sequence === entry.sequence),
        field,
      );
      assert.ok(
        found.items.every((one) => one[field] === entry[field]),
        field,
      );
    }
  });

  test('a generation lists as many changes as it counts', async (t) => {
    const { items } = await get('/generations?limit=20');
    if (!need(t, items[0], 'generation')) return;
    for (const { number, summary } of items) {
      const { changes } = await get(`/generations/${number}`);
      for (const action of ['create', 'update', 'delete'])
        assert.equal(changes.filter((one) => one.action === action).length, summary[action], `${number}`);
    }
  });

  test('a delivery that is not dead cannot be redriven', async (t) => {
    const { items } = await get('/deliveries?status=delivered&limit=1');
    if (!need(t, items[0], 'delivered event')) return;
    const answer = await call('POST', `/deliveries/${encodeURIComponent(items[0].id)}/redrive`);
    assert.equal(answer.status, 409);
    assertProblem(answer, 'CONFLICT');
  });

  test('what needs attention says what to do, with a page of the hub', async () => {
    const { attention, deadLetters } = await get('/overview');
    if (deadLetters > 0) assert.ok(attention.some((one) => one.next.href.includes('status=dead')));
    const order = ['critical', 'warning', 'info'];
    const ranks = attention.map((one) => order.indexOf(one.severity));
    assert.deepEqual(
      ranks,
      [...ranks].sort((a, b) => a - b),
    );
    for (const one of attention) assert.equal((await fetch(hub + one.next.href)).status, 200);
  });
});

describe('sessions', () => {
  const signIn = (value) =>
    fetch(`${hub}/api/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: value }),
    });

  test('the cookie is out of reach of scripts and of other sites', async () => {
    const response = await signIn(token);
    assert.equal(response.status, 201);
    const cookie = response.headers.get('set-cookie');
    assert.match(cookie, /^weft_session(_\d+)?=/);
    assert.match(cookie, /HttpOnly/i);
    assert.match(cookie, /SameSite=Strict/i);
    assert.ok(!cookie.includes(token));
  });

  test('a wrong token is 401', async () => {
    const response = await signIn('wrong');
    assertProblem(
      { status: response.status, headers: response.headers, body: await response.json() },
      'UNAUTHENTICATED',
    );
  });

  test('the cookie alone may read but not change', async () => {
    const Cookie = (await signIn(token)).headers.get('set-cookie').split(';')[0];
    const session = await fetch(`${hub}/api/v1/session`, { headers: { Cookie } });
    assert.equal(session.status, 200);
    assert.ok(Date.parse((await session.json()).expiresAt) > Date.now());
    const forged = await fetch(`${hub}/api/v1/subscriptions/no-such/redrive`, {
      method: 'POST',
      headers: { Cookie },
    });
    assertProblem(
      { status: forged.status, headers: forged.headers, body: await forged.json() },
      'CSRF_HEADER_MISSING',
    );
    assert.equal(forged.status, 403);
    const meant = await fetch(`${hub}/api/v1/subscriptions/no-such/redrive`, {
      method: 'POST',
      headers: { Cookie, 'X-Weft-Csrf': '1' },
    });
    assert.equal(meant.status, 404);
  });
});

describe('lists', () => {
  for (const list of ['/deliveries', '/traces', '/audit', '/resources']) {
    test(`${list} page by page has no gap and no duplicate`, async (t) => {
      const keyOf = (item) => item.id ?? item.traceId ?? item.sequence ?? `${item.kind}/${item.name}`;
      const first = await get(`${list}?limit=3`);
      if (!need(t, first.nextCursor, `second page of ${list}`)) return;
      const second = await get(`${list}?limit=3&cursor=${encodeURIComponent(first.nextCursor)}`);
      const keys = [...first.items, ...second.items].map(keyOf);
      assert.equal(new Set(keys).size, keys.length);
      assert.equal(first.items.length, 3);
    });
  }
});

test('each example in the document fits its own schema', () => {
  for (const [name, schema] of Object.entries(openapi.components.schemas)) {
    if (schema.example !== undefined)
      assertFits({ $ref: `#/components/schemas/${name}` }, schema.example, `example of ${name}`);
  }
});

test('pages of the hub are served with headers that keep other sites out', async () => {
  const response = await fetch(`${hub}/streams/x`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/html/);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  assert.match(response.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const html = await response.text();
  const asset = /src="(\/assets\/[^"]+\.js)"/.exec(html)[1];
  assert.match((await fetch(hub + asset)).headers.get('content-type'), /javascript/);
});
