// What the tests need and a Weft may not have: dead letters of a subscription that is active, consumer
// groups with and without members, and records in quarantine. Makes streams and a subscription of its own
// through the API, with a receiver that refuses whatever it is sent and KafkaJS as producer and consumer,
// and goes back to the generation before when the tests are over.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const stream = 'hub.letter.sent.v1';
const subscription = 'hub-letters';
const letters = 12; // each test that redrives leaves enough for the next

const orders = 'hub.order.placed.v1';
const placed = 12;

const documents = (url, required) => `
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
---
apiVersion: weft/v1
kind: Schema
metadata: {name: hub.order, owner: hub-tests}
spec: {format: json-schema, definition: {type: object, required: [${required}]}}
---
apiVersion: weft/v1
kind: Stream
metadata: {name: ${orders}, owner: hub-tests}
spec: {partitions: 1, retention: 1d, schema: hub.order, onViolation: quarantine, dedupe: 10m}
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

async function kafkaOf(api, token) {
  const { Kafka, logLevel } = createRequire(new URL('../e2e/node/package.json', import.meta.url))('kafkajs');
  const { listeners } = await api('GET', '/health');
  const listener = listeners.find((one) => one.name === 'kafka');
  if (!listener)
    throw new Error('the hub’s tests need a Weft with the role broker: /health names no Kafka listener');
  return new Kafka({
    clientId: 'hub-tests',
    brokers: [listener.url.replace(/^\w+:\/\//, '')],
    sasl: { mechanism: 'plain', username: 'admin', password: token },
    logLevel: logLevel.NOTHING,
  });
}

/** Orders, of which four break the contract; the group hub-billing stopped at the third of them. */
async function placeOrders(kafka) {
  const producer = kafka.producer();
  await producer.connect();
  const send = (values) =>
    producer.send({
      topic: orders,
      messages: values.map((value, at) => ({ key: `O-${at}`, value: JSON.stringify(value), partition: 0 })),
    });
  await send(Array.from({ length: placed }, (_, at) => ({ id: at, currency: 'EUR' })));
  await send([{ id: 20 }, { id: 21 }, { id: 22 }, { currency: 'EUR' }, { id: 23, currency: 'EUR' }]);
  await producer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.setOffsets({
    groupId: 'hub-billing',
    topic: orders,
    partitions: [{ partition: 0, offset: '3' }],
  });
  await admin.disconnect();
}

/** The group hub-readers has a member until it is disconnected. */
async function readOrders(kafka) {
  const consumer = kafka.consumer({ groupId: 'hub-readers' });
  await consumer.connect();
  await consumer.subscribe({ topic: orders, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ eachMessage: async () => {} });
  await joined;
  return consumer;
}

/** Resolves when the Weft has what the tests need; end() takes back what was made. */
export async function prepareWeft(hub, token) {
  const api = apiOf(hub, token);
  const { server, url } = await refusingReceiver();
  const applied = await api('POST', '/apply', documents(url, 'id, currency'), 'application/yaml');
  for (let at = 1; at <= letters; at += 1)
    await api('POST', `/streams/${stream}/records`, { key: `L-${at}`, value: { letter: at } });
  await until(
    () => api('GET', `/subscriptions/${subscription}`),
    (one) => one.dead === letters,
    `${letters} dead letters of ${subscription}`,
  );
  const kafka = await kafkaOf(api, token);
  await placeOrders(kafka);
  const consumer = await readOrders(kafka);
  await until(
    () => api('GET', `/streams/${orders}/rejects`),
    ({ items }) => items.length > 0,
    `a reject of ${orders}`,
  );
  // From here on the contract takes three of the four that wait in quarantine.
  await api('POST', '/apply', documents(url, 'id'), 'application/yaml');
  return {
    async end() {
      try {
        await consumer.disconnect();
        for (const group of ['hub-billing', 'hub-readers']) await api('DELETE', `/groups/${group}`);
        await api('POST', `/generations/${applied.baseGeneration}/rollback`);
      } finally {
        server.close();
        server.closeAllConnections?.();
      }
    },
  };
}
