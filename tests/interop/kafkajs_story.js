// KafkaJS against a broker: usage: node kafkajs_story.js HOST:PORT TOPIC
// Lists, produces with the codecs that it has, and consumes in a group in which one of two members leaves.
// Prints one line of JSON with what happened; exits 1 with the error otherwise.
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require("kafkajs");
CompressionCodecs[CompressionTypes.Snappy] = require("kafkajs-snappy");
const { until, tell } = require("./story.js");

const [broker, topic] = process.argv.slice(2);
const RECORDS = 300;
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };
const kafka = new Kafka({ clientId: "kafkajs-story", brokers: [broker], logLevel: logLevel.NOTHING });

async function produce() {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const [name, compression] of Object.entries(CODECS)) {
    const messages = [];
    for (let i = 0; i < RECORDS; ++i) {
      messages.push({ key: `${i}`, value: `${name} ${i}`, headers: { codec: name } });
    }
    await producer.send({ topic, messages, compression, acks: -1 });
  }
  await producer.disconnect();
}

async function member(seen, name) {
  const consumer = kafka.consumer({ groupId: `${topic}-kafkajs`, sessionTimeout: 10_000, heartbeatInterval: 500 });
  const state = { consumer, partitions: [], joins: 0 };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    state.partitions = payload.memberAssignment[topic] ?? [];
    state.joins += 1;
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      seen.set(`${partition}/${message.offset}`, { by: name, value: message.value.toString(), codec: message.headers.codec.toString() });
    },
  });
  return state;
}

async function story() {
  const admin = kafka.admin();
  await admin.connect();
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) throw new Error(`${topic} is not listed`);
  const { topics: [described] } = await admin.fetchTopicMetadata({ topics: [topic] });
  const total = described.partitions.length;
  await produce();

  const seen = new Map();
  const first = await member(seen, "first");
  const second = await member(seen, "second");
  // Each member learns its share by itself: between the two, both may seem to have the same one.
  const shared = () => first.partitions.length + second.partitions.length === total;
  await until(() => first.partitions.length > 0 && second.partitions.length > 0 && shared(), "both members have partitions");
  await until(() => seen.size >= RECORDS * 3, "all records are read");
  await second.consumer.disconnect();
  await until(() => first.partitions.length === total, "the first member took over");
  await produce();
  await until(() => seen.size >= RECORDS * 6, "the rest is read");
  await first.consumer.disconnect();

  const codecs = {};
  for (const { codec } of seen.values()) codecs[codec] = (codecs[codec] ?? 0) + 1;
  const offsets = await admin.fetchOffsets({ groupId: `${topic}-kafkajs`, topics: [topic] });
  const committed = offsets[0].partitions.reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0);
  const ends = (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  await admin.disconnect();
  return { records: seen.size, codecs, partitions: total, committed, ends };
}

tell(story);
