// The stories of franz-go against a node: each prints "ok STORY" or ends the program with what went wrong.
//
// usage: franz SERVERS SOURCE TARGET   (topics of three partitions each)
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 60 * time.Second

type story struct {
	servers, source, target string
	ctx                     context.Context
}

func check(ok bool, what string, values ...any) {
	if !ok {
		fmt.Printf("FAILED "+what+"\n", values...)
		os.Exit(1)
	}
}

func must[T any](value T, err error) T {
	check(err == nil, "%v", err)
	return value
}

func (s story) client(options ...kgo.Opt) *kgo.Client {
	return must(kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.servers)}, options...)...))
}

// Values of a topic between its start and the end that this isolation sees, sorted.
func (s story) readAll(topic string, isolation kgo.IsolationLevel) []string {
	admin := s.admin()
	defer admin.Close()
	list := admin.ListEndOffsets
	if isolation == kgo.ReadCommitted() {
		list = admin.ListCommittedOffsets
	}
	ends := must(list(s.ctx, topic))
	client := s.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	var values []string
	open := map[int32]bool{}
	ends.Each(func(end kadm.ListedOffset) { open[end.Partition] = end.Offset > 0 })
	for remains(open) {
		fetches := client.PollFetches(s.ctx)
		check(fetches.Err() == nil, "fetch: %v", fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			if !record.Attrs.IsControl() {
				values = append(values, string(record.Value))
			}
			end, _ := ends.Lookup(topic, record.Partition)
			if record.Offset >= end.Offset-1 {
				open[record.Partition] = false
			}
		})
	}
	sort.Strings(values)
	return values
}

func remains(open map[int32]bool) bool {
	for _, each := range open {
		if each {
			return true
		}
	}
	return false
}

func main() {
	check(len(os.Args) == 4, "usage: franz SERVERS SOURCE TARGET")
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	defer cancel()
	s := story{os.Args[1], os.Args[2], os.Args[3], ctx}
	stories := []struct {
		name string
		tell func()
	}{
		{"idempotent records with every codec come back", s.codecs},
		{"a cooperative group shares, a static member returns without a rebalance", s.group},
		{"each record is moved exactly once although transactions abort", s.transactions},
		{"a second producer fences the first", s.fencing},
		{"topics are made, grown, configured and deleted", s.topics},
		{"offsets are listed, committed, lagging and deleted", s.offsets},
		{"brokers, their versions and log dirs", s.brokers},
		{"producers and transactions are described while one is open", s.openTransaction},
	}
	for _, each := range stories {
		each.tell()
		fmt.Println("ok " + each.name)
	}
	fmt.Println("done")
}
