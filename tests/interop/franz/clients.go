package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const perCodec = 300

func (s story) codecs() {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	var sent []string
	for name, codec := range codecs {
		client := s.client(kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(s.source), kgo.ProducerLinger(5*time.Millisecond))
		var records []*kgo.Record
		for i := range perCodec {
			value := fmt.Sprintf("%s %d", name, i)
			sent = append(sent, value)
			records = append(records, &kgo.Record{Key: []byte(value), Value: []byte(value),
				Headers: []kgo.RecordHeader{{Key: "codec", Value: []byte(name)}}})
		}
		check(client.ProduceSync(s.ctx, records...).FirstErr() == nil, "produce with %s", name)
		client.Close()
	}
	sort.Strings(sent)
	read := s.readAll(s.source, kgo.ReadUncommitted())
	check(fmt.Sprint(read) == fmt.Sprint(sent), "sent %d records, read %d", len(sent), len(read))
}

type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	owned  map[int32]bool
	gone   int // partitions that were taken from it
}

func (s story) member(instance string, options ...kgo.Opt) *member {
	m := &member{owned: map[int32]bool{}}
	take := func(has bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range topics[s.source] {
				m.owned[partition] = has
				if !has {
					m.gone++
				}
			}
		}
	}
	if instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	m.client = s.client(append([]kgo.Opt{kgo.ConsumerGroup("franz-group"), kgo.ConsumeTopics(s.source), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.OnPartitionsAssigned(take(true)), kgo.OnPartitionsRevoked(take(false)), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, options...)...)
	return m
}

func (m *member) lost() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.gone
}

func (m *member) count() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	count := 0
	for _, has := range m.owned {
		if has {
			count++
		}
	}
	return count
}

// All members poll in turns, since a rebalance needs each of them, until it is done.
func (s story) until(done func() bool, what string, seen map[string]bool, members ...*member) {
	for deadline := time.Now().Add(patience); !done(); {
		check(time.Now().Before(deadline), "not within %v: %s", patience, what)
		for _, m := range members {
			ctx, cancel := context.WithTimeout(s.ctx, 100*time.Millisecond)
			m.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				seen[fmt.Sprintf("%d@%d", record.Partition, record.Offset)] = true
			})
			cancel()
		}
	}
}

func (s story) group() {
	seen := map[string]bool{}
	first := s.member("franz-static")
	s.until(func() bool { return first.count() == 3 }, "all partitions to the only member", seen, first)
	second := s.member("")
	s.until(func() bool { return first.count() == 2 && second.count() == 1 }, "shared", seen, first, second)
	check(first.lost() == 1, "the cooperative member lost %d of its 3 partitions, and one was needed", first.lost())
	// A static member that goes away says nothing, and gets what it had when it is back within its session.
	check(first.client.CommitUncommittedOffsets(s.ctx) == nil, "commit")
	first.client.Close()
	first = s.member("franz-static")
	s.until(func() bool { return first.count() == 2 }, "the static member's own partitions", seen, first, second)
	check(second.count() == 1 && second.lost() == 0, "the other member lost partitions although the static one was back in time")
	s.until(func() bool { return len(seen) == 5*perCodec }, "all records", seen, first, second)
	for _, m := range []*member{first, second} {
		check(m.client.CommitUncommittedOffsets(s.ctx) == nil, "commit")
		m.client.Close()
	}
	// A static member is a member until its session ends, or until an administrator removes it.
	admin := s.admin()
	defer admin.Close()
	check(must(admin.LeaveGroup(s.ctx, kadm.LeaveGroup("franz-group").InstanceIDs("franz-static"))).Ok(), "remove the static member")
}

func (s story) transactions() {
	session := must(kgo.NewGroupTransactSession(kgo.SeedBrokers(s.servers), kgo.TransactionalID("franz-mover"), kgo.ConsumerGroup("franz-movers"),
		kgo.ConsumeTopics(s.source), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.RequireStableFetchOffsets(), kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.TransactionTimeout(20*time.Second)))
	moved, aborted := 0, 0
	for moved < 5*perCodec {
		fetches := session.PollRecords(s.ctx, 100)
		check(fetches.Err() == nil, "poll: %v", fetches.Err())
		check(session.Begin() == nil, "begin")
		count := 0
		fetches.EachRecord(func(record *kgo.Record) {
			count++
			session.Produce(s.ctx, &kgo.Record{Topic: s.target, Key: record.Key, Value: record.Value}, func(_ *kgo.Record, err error) {
				check(err == nil, "produce in a transaction: %v", err)
			})
		})
		check(session.Client().Flush(s.ctx) == nil, "flush")
		commit := aborted >= 5 || (moved/100)%3 != 1
		committed := must(session.End(s.ctx, kgo.TransactionEndTry(commit)))
		if committed {
			moved += count
		} else {
			aborted++
		}
	}
	session.Close()
	check(aborted >= 3, "%d transactions were aborted", aborted)
	check(fmt.Sprint(s.readAll(s.target, kgo.ReadCommitted())) == fmt.Sprint(s.readAll(s.source, kgo.ReadUncommitted())), "not exactly once")
	all := len(s.readAll(s.target, kgo.ReadUncommitted()))
	check(all > 5*perCodec, "nothing of aborted transactions is left: %d", all)
}

func (s story) fencing() {
	record := &kgo.Record{Topic: s.target, Value: []byte("zombie")}
	first := s.client(kgo.TransactionalID("franz-fenced"))
	defer first.Close()
	check(first.BeginTransaction() == nil, "begin")
	check(first.ProduceSync(s.ctx, record).FirstErr() == nil, "produce")
	second := s.client(kgo.TransactionalID("franz-fenced"))
	defer second.Close()
	check(second.BeginTransaction() == nil, "begin")
	check(second.ProduceSync(s.ctx, &kgo.Record{Topic: s.target, Value: []byte("successor")}).FirstErr() == nil, "produce")
	check(second.EndTransaction(s.ctx, kgo.TryCommit) == nil, "the second commits")
	err := first.EndTransaction(s.ctx, kgo.TryCommit)
	check(errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced), "the first was told %v", err)
	for _, value := range s.readAll(s.target, kgo.ReadCommitted()) {
		check(value != "zombie", "a zombie's record is committed")
	}
}
