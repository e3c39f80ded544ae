import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.*;

// The calls that the pages of a Kafka UI make through the Java AdminClient (those of kafbat's kafka-ui, in its order), not a UI.
public class UiAdminCalls {
  static Properties properties;
  static Admin admin;
  static String topic;

  interface Call<T> {
    T make() throws Exception;
  }
  static void check(boolean ok, String what) {
    if (!ok) throw new RuntimeException("FAILED: " + what);
  }
  static void page(String name) {
    System.out.println("ok " + name);
  }
  // What a UI takes for "this cluster has none of it": anything else fails the page.
  static <T> Optional<T> ifServed(Call<T> call) throws Exception {
    try {
      return Optional.of(call.make());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SecurityDisabledException || e.getCause() instanceof UnsupportedVersionException) return Optional.empty();
      throw e;
    }
  }
  static Map<TopicPartition, Long> offsets(OffsetSpec spec) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    TopicDescription described = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    for (TopicPartitionInfo each : described.partitions()) asked.put(new TopicPartition(topic, each.partition()), spec);
    return admin.listOffsets(asked).all().get().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
  }
  static String config(String name, String key) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
    DescribeConfigsOptions all = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
    ConfigEntry entry = admin.describeConfigs(List.of(resource), all).all().get().get(resource).get(key);
    return entry == null ? null : entry.value();
  }
  static int controller() throws Exception {
    return admin.describeCluster().controller().get().id();
  }
  static void brokers() throws Exception {
    DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
    check(cluster.nodes().get().size() == 1 && cluster.controller().get() != null && !cluster.clusterId().get().isEmpty(), "the cluster");
    cluster.authorizedOperations().get();
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "" + controller());
    admin.describeConfigs(List.of(broker)).all().get();
    Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(controller())).allDescriptions().get().get(controller());
    long bytes = dirs.values().stream().flatMap(dir -> dir.replicaInfos().values().stream()).mapToLong(ReplicaInfo::size).sum();
    check(bytes > 0, "bytes on disk");
    admin.listPartitionReassignments().reassignments().get();
    page("brokers: cluster with operations, configuration, bytes on disk");
  }
  static void topics() throws Exception {
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    check(names.contains(topic), "the topic is listed");
    Map<String, TopicDescription> described = admin.describeTopics(names).allTopicNames().get();
    check(described.get(topic).partitions().stream().allMatch(each -> each.leader() != null && each.isr().size() == 1), "leaders and replicas");
    List<ConfigResource> resources = names.stream().map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList();
    check(admin.describeConfigs(resources).all().get().size() == names.size(), "configuration of all topics");
    check("delete".equals(config(topic, "cleanup.policy")), "cleanup.policy");
    long records = offsets(OffsetSpec.latest()).values().stream().mapToLong(Long::longValue).sum() - offsets(OffsetSpec.earliest()).values().stream().mapToLong(Long::longValue).sum();
    check(records == 300, "300 records by their offsets: " + records);
    admin.describeProducers(offsets(OffsetSpec.latest()).keySet()).all().get();
    page("topics: listed, described, configured, counted, with their producers");
  }
  static void messages() throws Exception {
    Properties p = new Properties();
    p.putAll(properties);
    p.put("client.id", "ui-reader");
    p.put("allow.auto.create.topics", "false");
    p.put("max.poll.records", "50");
    try (KafkaConsumer<byte[], byte[]> reader = new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Map<TopicPartition, Long> ends = offsets(OffsetSpec.latest());
      reader.assign(ends.keySet());
      ends.forEach((place, end) -> reader.seek(place, Math.max(0, end - 10)));
      int latest = 0;
      for (long until = System.currentTimeMillis() + 30000; latest < 30 && System.currentTimeMillis() < until;) latest += reader.poll(Duration.ofMillis(200)).count();
      check(latest == 30, "the last ten records of each partition: " + latest);
      Map<TopicPartition, Long> ago = ends.keySet().stream().collect(Collectors.toMap(e -> e, e -> System.currentTimeMillis() - 3600_000));
      check(reader.offsetsForTimes(ago).values().stream().allMatch(each -> each.offset() == 0), "from a moment on");
    }
    page("messages: the newest ones, and from a moment on");
  }
  static void groups() throws Exception {
    Properties p = new Properties();
    p.putAll(properties);
    p.put("group.id", "ui-watched");
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    try (KafkaConsumer<String, String> member = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
      member.subscribe(List.of(topic));
      int seen = 0;
      for (long until = System.currentTimeMillis() + 30000; seen < 300 && System.currentTimeMillis() < until;) seen += member.poll(Duration.ofMillis(200)).count();
      check(seen == 300, "records in the group: " + seen);
      member.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1)));
      Collection<ConsumerGroupListing> listed = admin.listConsumerGroups().all().get();
      check(listed.stream().anyMatch(each -> each.groupId().equals("ui-watched") && each.state().get().toString().equals("Stable")), "listed with its state");
      ConsumerGroupDescription described = admin.describeConsumerGroups(List.of("ui-watched")).all().get().get("ui-watched");
      check(described.members().size() == 1 && described.members().iterator().next().assignment().topicPartitions().size() == 3, "its member and partitions");
      check(described.coordinator() != null && described.partitionAssignor().length() > 0, "coordinator and assignor");
    }
    ListConsumerGroupOffsetsSpec all = new ListConsumerGroupOffsetsSpec().topicPartitions(null);
    Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(Map.of("ui-watched", all, "ui-absent", all)).all().get().get("ui-watched");
    TopicPartition first = new TopicPartition(topic, 0);
    check(offsets(OffsetSpec.latest()).get(first) - committed.get(first).offset() == 99, "the lag");
    admin.alterConsumerGroupOffsets("ui-watched", Map.of(first, new OffsetAndMetadata(50))).all().get();
    check(admin.listConsumerGroupOffsets("ui-watched").partitionsToOffsetAndMetadata().get().get(first).offset() == 50, "offsets reset");
    admin.deleteConsumerGroupOffsets("ui-watched", Set.of(first)).all().get();
    // With its last offset a group without members may be gone.
    admin.alterConsumerGroupOffsets("ui-watched", Map.of(first, new OffsetAndMetadata(50))).all().get();
    admin.deleteConsumerGroups(List.of("ui-watched")).all().get();
    check(admin.listConsumerGroups().all().get().stream().noneMatch(each -> each.groupId().equals("ui-watched")), "the group is deleted");
    try {
      admin.deleteConsumerGroups(List.of("ui-absent")).all().get();
      check(false, "a group that is not there was deleted");
    } catch (ExecutionException e) {
      check(e.getCause() instanceof GroupIdNotFoundException, "told " + e.getCause());
    }
    page("consumers: listed with states, members, lag, offsets reset and deleted");
  }
  // AdminClient before 4.0 has the call that replaces a topic's whole configuration, and a UI makes it when it does not know the version.
  static void replaceConfiguration(String name) throws Exception {
    try {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
      Config whole = new Config(List.of(new ConfigEntry("retention.ms", "120000")));
      Object result = Admin.class.getMethod("alterConfigs", Map.class).invoke(admin, Map.of(resource, whole));
      ((AlterConfigsResult) result).all().get();
      check("120000".equals(config(name, "retention.ms")), "the whole configuration was replaced");
    } catch (NoSuchMethodException gone) {
      return; // in 4.0
    }
  }
  static void changes() throws Exception {
    String name = "apps-ui";
    admin.createTopics(List.of(new NewTopic(name, Optional.of(2), Optional.empty()).configs(Map.of("retention.ms", "3600000")))).all().get();
    check("3600000".equals(config(name, "retention.ms")), "made with its configuration");
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "60000"), AlterConfigOp.OpType.SET)))).all().get();
    check("60000".equals(config(name, "retention.ms")), "configuration edited");
    replaceConfiguration(name);
    admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4))).all().get();
    check(admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size() == 4, "grown");
    TopicPartition place = new TopicPartition(topic, 0);
    admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(40))).all().get();
    check(offsets(OffsetSpec.earliest()).get(place) == 40, "messages cleared");
    admin.deleteTopics(List.of(name)).all().get();
    check(!admin.listTopics().names().get().contains(name), "deleted");
    page("changes: topic made, configured, grown and deleted, messages cleared");
  }
  public static void main(String[] a) throws Exception {
    topic = a[1];
    properties = new Properties();
    properties.put("bootstrap.servers", a[0]);
    properties.put("security.protocol", "SASL_PLAINTEXT");
    properties.put("sasl.mechanism", "PLAIN");
    properties.put("sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ui\" password=\"" + a[2] + "\";");
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < 300; i++) producer.send(new ProducerRecord<>(topic, i % 3, "key " + i, "message " + i));
    }
    admin = Admin.create(properties);
    brokers();
    topics();
    messages();
    groups();
    changes();
    String acls = ifServed(() -> admin.describeAcls(AclBindingFilter.ANY).values().get()).isPresent() ? "served" : "not served";
    String quotas = ifServed(() -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get()).isPresent() ? "served" : "not served";
    String quorum = ifServed(() -> admin.describeMetadataQuorum().quorumInfo().get()).isPresent() ? "served" : "not served";
    page("the rest is served or refused as UIs expect: ACLs " + acls + ", quotas " + quotas + ", quorum " + quorum);
    admin.close();
    System.out.println("done");
  }
}
