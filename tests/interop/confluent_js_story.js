// confluent-kafka-javascript against a broker: usage: node confluent_js_story.js HOST:PORT TOPIC TARGET
// Produces with every codec, consumes in a group in which one of two members leaves, copies to TARGET in transactions, of which
// one aborts, and looks at the group as an administrator. Prints one line of JSON; exits 1 with the error otherwise.
const { KafkaJS, librdkafkaVersion } = require("@confluentinc/kafka-javascript");
const { until, tell } = require("./story.js");

const [broker, topic, target] = process.argv.slice(2);
const RECORDS = 200;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];
const kafka = new KafkaJS.Kafka({ kafkaJS: { clientId: "confluent-js-story", brokers: [broker], logLevel: KafkaJS.logLevel.NOTHING } });

async function produce() {
  for (const codec of CODECS) {
    const producer = kafka.producer({ kafkaJS: { idempotent: true, acks: -1 }, "compression.type": codec, "linger.ms": 5 });
    await producer.connect();
    const messages = [];
    for (let i = 0; i < RECORDS; ++i) messages.push({ key: `${i}`, value: `${codec} ${i}`, headers: { codec } });
    const sent = await producer.send({ topic, messages });
    if (sent.some(({ errorCode }) => errorCode !== 0)) throw new Error(`produce with ${codec}: ${JSON.stringify(sent)}`);
    await producer.disconnect();
  }
}

async function member(group, from, seen, settings = {}) {
  const consumer = kafka.consumer({ kafkaJS: { groupId: group, fromBeginning: true, autoCommit: true, autoCommitInterval: 200 }, ...settings });
  await consumer.connect();
  await consumer.subscribe({ topics: [from] });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      seen.set(`${partition}/${message.offset}`, { value: message.value.toString(), codec: message.headers?.codec?.toString() });
    },
  });
  return consumer;
}

async function copyInTransactions() {
  const producer = kafka.producer({ kafkaJS: { transactionalId: `${topic}-copier` } });
  await producer.connect();
  for (const [value, ends] of [["kept", "commit"], ["dropped", "abort"], ["kept too", "commit"]]) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: target, messages: [{ value }] });
    await transaction[ends]();
  }
  await producer.disconnect();
}

async function story() {
  const admin = kafka.admin();
  await admin.connect();
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) throw new Error(`${topic} is not listed`);
  await produce();

  const seen = new Map(), group = `${topic}-confluent-js`;
  const first = await member(group, topic, seen);
  const second = await member(group, topic, seen);
  const held = (consumer) => consumer.assignment().filter((one) => one.topic === topic).length;
  await until(() => held(first) > 0 && held(second) > 0, "both members have partitions");
  await until(() => seen.size >= RECORDS * CODECS.length, "all records are read");
  await second.disconnect();
  await until(() => held(first) === 4, "the first member took over");
  await produce();
  await until(() => seen.size >= 2 * RECORDS * CODECS.length, "the rest is read");
  await first.disconnect();

  await copyInTransactions();
  const committed = new Map();
  const reader = await member(`${topic}-copies`, target, committed);
  await until(() => committed.size >= 2, "what was committed");
  await reader.disconnect();

  const codecs = {};
  for (const { codec } of seen.values()) codecs[codec] = (codecs[codec] ?? 0) + 1;
  const offsets = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const read = offsets[0].partitions.reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0);
  const { groups } = await admin.listGroups();
  await admin.deleteGroups([group]);
  await admin.disconnect();
  return {
    librdkafka: librdkafkaVersion, codecs, read, listed: groups.some(({ groupId }) => groupId === group),
    committed: [...committed.values()].map(({ value }) => value).sort(),
  };
}

tell(story);
