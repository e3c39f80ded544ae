// Development only, never part of the product: plays the admin API over made-up orders and serves
// web/dist, so that the hub can be built and tested before, or without, a running Weft.
//
//   node dev/fixture_server.mjs [--port 8080] [--token dev] [--empty]
//
// Prints one line of JSON, {"url", "token"}, when it listens.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { Refusal } from './fixture/answers.mjs';
import { endpointsOf, findStream } from './fixture/endpoints.mjs';
import { kOrders, World } from './fixture/world.mjs';

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    token: { type: 'string', default: 'dev' },
    empty: { type: 'boolean' },
  },
});
const dist = fileURLToPath(new URL('../dist', import.meta.url));
const openapi = parse(readFileSync(new URL('../../src/app/api/admin.openapi.yaml', import.meta.url), 'utf8'));
const world = new World({ empty: flags.empty ?? false });
const endpoints = endpointsOf(world);
const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
  ['get', 'post', 'delete']
    .filter((method) => item[method])
    .map((method) => ({
      method: method.toUpperCase(),
      id: item[method].operationId,
      status: Number(Object.keys(item[method].responses)[0]),
      pattern: new RegExp(`^${path.replace(/\./g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
    })),
);
const sessions = new Set();
const traceId = () => world.random.hex(32);

function sendJson(response, status, value, headers = {}) {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

function sendProblem(response, { status, code, message, details }) {
  const title = code.toLowerCase().replaceAll('_', ' ');
  const known = [...world.traces.keys()].at(-1) ?? traceId();
  sendJson(response, status, {
    type: `/problems/${title.replaceAll(' ', '-')}`,
    title,
    status,
    traceId: known,
    code,
    message,
    ...(details ? { details } : {}),
  });
}

const cookieOf = (request) => /(?:^|;\s*)weft_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];

function authenticate(request) {
  if (request.headers.authorization === `Bearer ${flags.token}`) return;
  if (!sessions.has(cookieOf(request)))
    throw new Refusal(401, 'UNAUTHENTICATED', 'sign in, or send the admin token as a bearer token');
  if (request.method !== 'GET' && request.headers['x-weft-csrf'] !== '1') {
    throw new Refusal(
      403,
      'CSRF_HEADER_MISSING',
      'a change with a session cookie needs the header X-Weft-Csrf: 1',
    );
  }
}

const session = {
  principal: 'admin',
  tenant: 'default',
  roles: ['admin'],
  expiresAt: new Date(Date.now() + 43_200_000).toISOString(),
};

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'INVALID_ARGUMENT', 'the body is not JSON');
  }
}

async function serveApi(request, response, url) {
  const path = url.pathname.slice('/api/v1'.length);
  const operation = operations.find((one) => one.method === request.method && one.pattern.test(path));
  if (!operation) throw new Refusal(404, 'NOT_FOUND', `there is no ${request.method} ${url.pathname}`);
  if (operation.id === 'createSession') return signIn(request, response);
  if (operation.id === 'deleteSession') {
    sessions.delete(cookieOf(request));
    return sendJson(response, 204, undefined, {
      'Set-Cookie': 'weft_session=; Path=/api; HttpOnly; SameSite=Strict; Max-Age=0',
    });
  }
  authenticate(request);
  const found = operation.pattern.exec(path).groups ?? {};
  const params = Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
  if (operation.id === 'getSession') return sendJson(response, 200, session);
  if (operation.id === 'getOpenApi') return sendJson(response, 200, openapi);
  if (operation.id === 'tailRecords') return tail(request, response, params.stream, url.searchParams);
  if (!endpoints[operation.id])
    throw new Refusal(503, 'UNAVAILABLE', `the fixture server does not play ${operation.id}`);
  const value = endpoints[operation.id]({ params, query: url.searchParams, body: await bodyOf(request) });
  sendJson(response, operation.status, value, operation.id === 'getResource' ? { ETag: '"fixture"' } : {});
}

async function signIn(request, response) {
  const body = await bodyOf(request);
  if (body?.token !== flags.token)
    throw new Refusal(401, 'UNAUTHENTICATED', 'that is not the admin token of this Weft');
  const id = world.random.hex(32);
  sessions.add(id);
  sendJson(response, 201, session, {
    'Set-Cookie': `weft_session=${id}; Path=/api; HttpOnly; SameSite=Strict`,
  });
}

function tail(request, response, name, query) {
  findStream(world, name);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const send = (record) =>
    response.write(
      `id: ${record.partition}:${record.offset}\nevent: record\ndata: ${JSON.stringify(record)}\n\n`,
    );
  response.write(': hello\n\n');
  if (name !== kOrders) return;
  const wanted = (record) => !query.has('partition') || record.partition === Number(query.get('partition'));
  const from = query.get('from') ?? 'latest';
  if (from !== 'latest' && !request.headers['last-event-id']) {
    const start = from === 'earliest' ? 0 : Number(from);
    world.records
      .flatMap((records) => records.slice(start))
      .filter(wanted)
      .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
      .forEach(send);
  }
  const listener = (record) => wanted(record) && send(record);
  world.listeners.add(listener);
  request.on('close', () => world.listeners.delete(listener));
}

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

function serveFile(response, path) {
  const wanted = join(dist, normalize(decodeURIComponent(path)));
  const isFile = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
  // Pages of the hub are paths of the one document; a missing asset is missing.
  if (!isFile && extname(path) !== '' && path.startsWith('/assets/'))
    return sendProblem(response, new Refusal(404, 'NOT_FOUND', `there is no ${path}`));
  const file = isFile ? wanted : join(dist, 'index.html');
  response.writeHead(200, {
    'Content-Type': types[extname(file)] ?? 'application/octet-stream',
    'Content-Security-Policy':
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  createReadStream(file).pipe(response);
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (!url.pathname.startsWith('/api/')) return serveFile(response, url.pathname);
  serveApi(request, response, url).catch((failure) => {
    if (failure instanceof Refusal) return sendProblem(response, failure);
    console.error(failure);
    sendProblem(response, new Refusal(500, 'INTERNAL', String(failure)));
  });
});

server.listen(Number(flags.port), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, token: flags.token }));
  if (!flags.empty) setInterval(() => world.order(), 900).unref();
});
