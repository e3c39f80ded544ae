import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.serialization.*;

public class ClientStory {
  static Properties base(String servers) {
    Properties p = new Properties();
    p.put("bootstrap.servers", servers);
    p.put("key.serializer", StringSerializer.class.getName());
    p.put("value.serializer", StringSerializer.class.getName());
    p.put("key.deserializer", StringDeserializer.class.getName());
    p.put("value.deserializer", StringDeserializer.class.getName());
    return p;
  }
  static List<String> readAll(String servers, String topic, String isolation) {
    Properties p = base(servers);
    p.put("isolation.level", isolation);
    p.put("group.id", UUID.randomUUID().toString());
    p.put("auto.offset.reset", "earliest");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> c = new KafkaConsumer<>(p)) {
      List<TopicPartition> parts = new ArrayList<>();
      for (PartitionInfo i : c.partitionsFor(topic)) parts.add(new TopicPartition(topic, i.partition()));
      c.assign(parts);
      Map<TopicPartition, Long> ends = c.endOffsets(parts);
      c.seekToBeginning(parts);
      long deadline = System.currentTimeMillis() + 20000;
      while (System.currentTimeMillis() < deadline) {
        for (ConsumerRecord<String, String> r : c.poll(Duration.ofMillis(200))) values.add(r.value());
        boolean done = true;
        for (TopicPartition t : parts) done &= c.position(t) >= ends.get(t);
        if (done) return values;
      }
    }
    throw new RuntimeException("not read in 20 s: " + values.size());
  }
  static void check(boolean ok, String what) {
    if (!ok) throw new RuntimeException("FAILED: " + what);
    System.out.println("ok " + what);
  }
  public static void main(String[] a) throws Exception {
    String servers = a[0], source = a[1], target = a[2];
    Properties p = base(servers);
    try (KafkaProducer<String, String> plain = new KafkaProducer<>(p)) {
      for (int i = 0; i < 100; i++) plain.send(new ProducerRecord<>(source, "k" + i, "order " + i)).get();
    }
    check(readAll(servers, source, "read_uncommitted").size() == 100, "idempotent producer and consumer");
    p.put("transactional.id", "java-1");
    KafkaProducer<String, String> producer = new KafkaProducer<>(p);
    producer.initTransactions();
    producer.beginTransaction();
    for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(target, "k" + i, "lost " + i));
    producer.flush();
    producer.abortTransaction();
    Properties cp = base(servers);
    cp.put("group.id", "java-invoicing");
    cp.put("enable.auto.commit", "false");
    cp.put("isolation.level", "read_committed");
    cp.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<String, String> c = new KafkaConsumer<>(cp)) {
      c.subscribe(List.of(source));
      int seen = 0;
      while (seen < 100) {
        ConsumerRecords<String, String> records = c.poll(Duration.ofSeconds(5));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<String, String> r : records) {
          producer.send(new ProducerRecord<>(target, r.key(), "invoice of " + r.value()));
          offsets.put(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1));
          seen++;
        }
        producer.sendOffsetsToTransaction(offsets, c.groupMetadata());
        producer.commitTransaction();
      }
    }
    check(new HashSet<>(readAll(servers, target, "read_committed")).size() == 100, "consume, transform, produce in transactions");
    check(readAll(servers, target, "read_uncommitted").size() == 110, "read_uncommitted sees aborted records");
    KafkaProducer<String, String> second = new KafkaProducer<>(p);
    second.initTransactions();
    boolean fenced = false;
    try {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(target, "z", "zombie")).get();
      producer.commitTransaction();
    } catch (Exception e) {
      fenced = e.toString().contains("ProducerFenced") || e.toString().contains("InvalidProducerEpoch");
    }
    check(fenced, "a second producer fences the first");
    second.beginTransaction();
    second.send(new ProducerRecord<>(target, 0, "o", "open")).get();
    try (Admin admin = Admin.create(base(servers))) {
      TransactionListing listed = admin.listTransactions().all().get().iterator().next();
      check(listed.transactionalId().equals("java-1") && listed.state() == TransactionState.ONGOING, "transactions are listed");
      check(admin.describeTransactions(List.of("java-1")).all().get().get("java-1").topicPartitions().size() == 1,
          "a transaction is described with its partitions");
      TopicPartition first = new TopicPartition(target, 0);
      check(admin.describeProducers(List.of(first)).all().get().get(first).activeProducers().stream()
              .anyMatch(each -> each.currentTransactionStartOffset().isPresent()), "producers of a partition are described");
      second.abortTransaction();
      second.close();
      check(admin.listConsumerGroupOffsets("java-invoicing").partitionsToOffsetAndMetadata().get().values().stream()
              .mapToLong(OffsetAndMetadata::offset).sum() == 100, "offsets were committed in transactions");
      admin.createTopics(List.of(new NewTopic("apps-java", 2, (short) 1).configs(Map.of("cleanup.policy", "compact")))).all().get();
      check(admin.describeTopics(List.of("apps-java")).allTopicNames().get().get("apps-java").partitions().size() == 2,
          "a topic is made");
    }
    System.out.println("done");
  }
}
