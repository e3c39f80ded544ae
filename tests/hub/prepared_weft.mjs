// What the tests need and a Weft may not have: dead letters of a subscription that is active. Makes a
// stream and a subscription of its own through the API, with a receiver that refuses whatever it is
// sent, and goes back to the generation before when the tests are over.
import { createServer } from 'node:http';
import { once } from 'node:events';

const stream = 'hub.letter.sent.v1';
const subscription = 'hub-letters';
const letters = 12; // each test that redrives leaves enough for the next

const documents = (url) => `
apiVersion: weft/v1
kind: Stream
metadata: {name: ${stream}, owner: hub-tests}
spec: {partitions: 1, retention: 1d, opaque: true}
---
apiVersion: weft/v1
kind: Subscription
metadata: {name: ${subscription}, owner: hub-tests}
spec:
  stream: ${stream}
  from: earliest
  endpoint: {url: "${url}"}
  signing: {secrets: ["\${env:WEFT_HUB_TESTS_SECRET:-whsec_aHViLXRlc3RzLWh1Yi10ZXN0cy1odWItdGVzdHM=}"]}
  retry: {attemptsMax: 1}
`;

async function refusingReceiver() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(500, { 'Content-Type': 'text/plain' });
      response.end('this receiver refuses everything');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/letters`, server };
}

function apiOf(hub, token) {
  return async (method, path, body, type = 'application/json') => {
    const response = await fetch(`${hub}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': type }),
      },
      ...(body === undefined ? {} : { body: type === 'application/json' ? JSON.stringify(body) : body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

/** Asks until the answer is as wanted; throws after half a minute. */
async function until(ask, isWanted, what) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Resolves when the Weft has dead letters; end() takes back what was made. */
export async function prepareWeft(hub, token) {
  const api = apiOf(hub, token);
  const { server, url } = await refusingReceiver();
  const applied = await api('POST', '/apply', documents(url), 'application/yaml');
  for (let at = 1; at <= letters; at += 1)
    await api('POST', `/streams/${stream}/records`, { key: `L-${at}`, value: { letter: at } });
  await until(
    () => api('GET', `/subscriptions/${subscription}`),
    (one) => one.dead === letters,
    `${letters} dead letters of ${subscription}`,
  );
  return {
    async end() {
      try {
        await api('POST', `/generations/${applied.baseGeneration}/rollback`);
      } finally {
        server.close();
        server.closeAllConnections?.();
      }
    },
  };
}
