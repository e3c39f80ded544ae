import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

public class WordCount {
  public static void main(String[] a) throws Exception {
    String servers = a[0];
    Properties p = new Properties();
    p.put("application.id", "apps-wordcount");
    p.put("bootstrap.servers", servers);
    p.put("processing.guarantee", "exactly_once_v2");
    p.put("default.key.serde", Serdes.StringSerde.class.getName());
    p.put("default.value.serde", Serdes.StringSerde.class.getName());
    p.put("state.dir", a[1]);
    p.put("commit.interval.ms", "200");
    p.put("auto.offset.reset", "earliest");
    p.put("num.stream.threads", "2");
    StreamsBuilder b = new StreamsBuilder();
    b.<String, String>stream("apps-lines")
        .flatMapValues(v -> Arrays.asList(v.split(" ")))
        .groupBy((k, w) -> w)
        .count(Materialized.as("counts"))
        .toStream().mapValues(c -> Long.toString(c)).to("apps-counts");
    KafkaStreams streams = new KafkaStreams(b.build(), p);
    streams.setUncaughtExceptionHandler(e -> { e.printStackTrace(); return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT; });
    streams.start();
    Properties pp = new Properties();
    pp.put("bootstrap.servers", servers);
    pp.put("key.serializer", StringSerializer.class.getName());
    pp.put("value.serializer", StringSerializer.class.getName());
    int lines = 500;
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(pp)) {
      for (int i = 0; i < lines; i++) producer.send(new ProducerRecord<>("apps-lines", "l" + i, "alpha beta alpha w" + (i % 10)));
    }
    Properties cp = new Properties();
    cp.put("bootstrap.servers", servers);
    cp.put("group.id", "apps-check");
    cp.put("isolation.level", "read_committed");
    cp.put("auto.offset.reset", "earliest");
    cp.put("key.deserializer", StringDeserializer.class.getName());
    cp.put("value.deserializer", StringDeserializer.class.getName());
    Map<String, Long> counts = new TreeMap<>();
    try (KafkaConsumer<String, String> c = new KafkaConsumer<>(cp)) {
      c.subscribe(List.of("apps-counts"));
      long deadline = System.currentTimeMillis() + 60000;
      while (System.currentTimeMillis() < deadline) {
        for (ConsumerRecord<String, String> r : c.poll(Duration.ofMillis(300))) counts.put(r.key(), Long.parseLong(r.value()));
        if (counts.getOrDefault("alpha", 0L) >= 2L * lines && counts.getOrDefault("beta", 0L) >= lines && counts.size() == 12) break;
      }
    }
    streams.close(Duration.ofSeconds(20));
    System.out.println(counts);
    System.out.println(counts.get("alpha") == 2L * lines && counts.get("beta") == lines && counts.get("w3") == 50L ? "done" : "wrong counts");
  }
}
