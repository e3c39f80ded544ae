package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func (s story) admin() *kadm.Client { return kadm.NewClient(s.client()) }

func value(configs kadm.ResourceConfigs, name string) string {
	for _, resource := range configs {
		for _, config := range resource.Configs {
			if config.Key == name {
				return config.MaybeValue()
			}
		}
	}
	return "absent"
}

func (s story) topics() {
	const topic = "apps-franz"
	admin := s.admin()
	defer admin.Close()
	must(admin.ValidateCreateTopics(s.ctx, 2, 1, nil, topic))
	listed := must(admin.ListTopics(s.ctx))
	check(!listed.Has(topic) && listed.Has(s.source), "validation made the topic: %v", listed.Names())
	must(admin.CreateTopic(s.ctx, 2, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}, topic))
	again, err := admin.CreateTopic(s.ctx, 2, 1, nil, topic)
	check(errors.Is(err, kerr.TopicAlreadyExists), "made twice: %v %v", again, err)
	_, err = admin.CreateTopic(s.ctx, 2, 1, nil, "elsewhere-franz")
	check(errors.Is(err, kerr.PolicyViolation), "a topic outside of all namespaces: %v", err)
	check(value(must(admin.DescribeTopicConfigs(s.ctx, topic)), "cleanup.policy") == "compact", "cleanup.policy")
	check(must(admin.AlterTopicConfigs(s.ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("7200000")},
		{Op: kadm.SetConfig, Name: "cleanup.policy", Value: kadm.StringPtr("delete")}}, topic))[0].Err == nil, "alter")
	configs := must(admin.DescribeTopicConfigs(s.ctx, topic))
	check(value(configs, "retention.ms") == "7200000" && value(configs, "cleanup.policy") == "delete", "configs %v", configs)
	check(must(admin.UpdatePartitions(s.ctx, 4, topic)).Error() == nil, "grow")
	check(len(must(admin.ListTopics(s.ctx, topic))[topic].Partitions) == 4, "4 partitions")
	check(must(admin.DeleteTopics(s.ctx, topic)).Error() == nil, "delete")
	// With a client of its own, which remembers no metadata.
	other := s.admin()
	defer other.Close()
	check(!must(other.ListTopics(s.ctx)).Has(topic), "the topic is listed although it was deleted")
}

func (s story) offsets() {
	admin := s.admin()
	defer admin.Close()
	starts, ends := must(admin.ListStartOffsets(s.ctx, s.source)), must(admin.ListEndOffsets(s.ctx, s.source))
	total := int64(0)
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(s.source, end.Partition)
		total += end.Offset - start.Offset
	})
	check(total == 5*perCodec, "%d records by their offsets", total)
	check(must(admin.ListOffsetsAfterMilli(s.ctx, time.Now().Add(time.Hour).UnixMilli(), s.source)).Error() == nil, "by time")
	check(must(admin.ListMaxTimestampOffsets(s.ctx, s.source)).Error() == nil, "of the greatest timestamp")
	groups := must(admin.ListGroups(s.ctx))
	described := must(admin.DescribeGroups(s.ctx, "franz-group", "franz-movers"))
	for _, group := range []string{"franz-group", "franz-movers"} {
		_, listed := groups[group]
		check(listed && described[group].State == "Empty", "%s is %s", group, described[group].State)
		lag := must(admin.Lag(s.ctx, group))
		check(lag.Error() == nil, "lag of %s: %v", group, lag.Error())
		for _, each := range lag {
			check(each.Lag.Total() == 0, "%s lags by %d", group, each.Lag.Total())
		}
	}
	back := kadm.Offsets{}
	back.AddOffset(s.source, 0, 0, -1)
	check(admin.CommitAllOffsets(s.ctx, "franz-reset", back) == nil, "commit for a group without members")
	fetched := must(admin.FetchOffsets(s.ctx, "franz-reset"))
	place, has := fetched.Lookup(s.source, 0)
	check(has && place.At == 0, "the committed offset %v", place)
	deleted := must(admin.DeleteOffsets(s.ctx, "franz-reset", back.TopicsSet()))
	check(deleted.Error() == nil, "delete offsets: %v", deleted.Error())
	check(admin.CommitAllOffsets(s.ctx, "franz-reset", back) == nil, "commit again")
	must(admin.DeleteGroup(s.ctx, "franz-reset"))
	check(!strings.Contains(fmt.Sprint(must(admin.ListGroups(s.ctx)).Groups()), "franz-reset"), "the group is deleted")
}

func (s story) brokers() {
	admin := s.admin()
	defer admin.Close()
	metadata := must(admin.BrokerMetadata(s.ctx))
	check(len(metadata.Brokers) == 1 && metadata.Controller == metadata.Brokers[0].NodeID && metadata.Cluster != "", "%v", metadata)
	configs := must(admin.DescribeBrokerConfigs(s.ctx, metadata.Controller))
	check(len(configs) == 1 && configs[0].Err == nil, "broker configs: %v", configs)
	dirs := must(admin.DescribeAllLogDirs(s.ctx, nil))
	check(dirs[metadata.Controller].Error() == nil, "log dirs: %v", dirs)
	partition, has := dirs[metadata.Controller].LookupPartition(s.source, 0)
	check(has && partition.Size > 0, "the size of a partition: %v", partition)
	check(must(admin.ListPartitionReassignments(s.ctx, nil)) != nil, "reassignments")
	versions := must(admin.ApiVersions(s.ctx))[metadata.Controller]
	check(versions.Err == nil && versions.VersionGuess() != "", "versions: %v", versions.Err)
}

func (s story) openTransaction() {
	admin := s.admin()
	defer admin.Close()
	client := s.client(kgo.TransactionalID("franz-open"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	check(client.BeginTransaction() == nil, "begin")
	check(client.ProduceSync(s.ctx, &kgo.Record{Topic: s.target, Partition: 1, Value: []byte("open")}).FirstErr() == nil, "produce")
	id, _, err := client.ProducerID(s.ctx)
	check(err == nil, "%v", err)
	listed := must(admin.ListTransactions(s.ctx, nil, []string{"Ongoing"}))
	check(len(listed) == 1 && listed["franz-open"].ProducerID == id, "listed: %v", listed)
	described := must(admin.DescribeTransactions(s.ctx, "franz-open"))["franz-open"]
	check(described.State == "Ongoing" && described.Topics.Lookup(s.target, 1), "described: %v", described)
	var set kadm.TopicsSet
	set.Add(s.target, 1)
	producers := must(admin.DescribeProducers(s.ctx, set))
	producer := producers[s.target].Partitions[1].ActiveProducers[id]
	check(producer.ProducerID == id && producer.CurrentTxnStartOffset >= 0, "producers: %v", producers)
	committed, _ := must(admin.ListCommittedOffsets(s.ctx, s.target)).Lookup(s.target, 1)
	check(committed.Offset == producer.CurrentTxnStartOffset, "the stable end %d is not where the open transaction begins", committed.Offset)
	marker := kadm.TxnMarkers{ProducerID: id, ProducerEpoch: int16(producer.ProducerEpoch), Topics: set}
	marked := must(admin.WriteTxnMarkers(s.ctx, marker))[id].Topics[s.target].Partitions[1]
	check(marked.Err == nil, "abort by an operator: %v", marked.Err)
	state := must(admin.DescribeTransactions(s.ctx, "franz-open"))["franz-open"].State
	check(state == "CompleteAbort", "after the abort: %s", state)
	committed, _ = must(admin.ListCommittedOffsets(s.ctx, s.target)).Lookup(s.target, 1)
	check(committed.Offset > producer.CurrentTxnStartOffset, "the stable end stays at %d", committed.Offset)
	check(client.EndTransaction(s.ctx, kgo.TryCommit) != nil, "its producer commits what was aborted")
}
