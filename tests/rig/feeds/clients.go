// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cilium/tetragon/api/v1/tetragon"
	"github.com/falcosecurity/client-go/pkg/api/outputs"
	kubearmor "github.com/kubearmor/KubeArmor/protobuf"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: text(value)}
}

// logsRequest is one export of n records that begin at number begin; a record's body is a line of the file, as a log
// collector that tails a sensor's output sends it.
func logsRequest(all [][]byte, begin, n int) (*collector.ExportLogsServiceRequest, error) {
	now := uint64(time.Now().UnixNano())
	scope := &logs.ScopeLogs{Scope: &common.InstrumentationScope{Name: "tocsin.rig/feeds"}}
	for i := begin; i < begin+n; i++ {
		var line []byte
		if len(all) > 0 {
			line = all[i%len(all)]
		} else {
			var err error
			if line, err = protojson.Marshal(generateKubeArmor(i)); err != nil {
				return nil, err
			}
		}
		scope.LogRecords = append(scope.LogRecords, &logs.LogRecord{
			TimeUnixNano: now, ObservedTimeUnixNano: now, SeverityNumber: logs.SeverityNumber_SEVERITY_NUMBER_WARN, SeverityText: "WARN",
			Body: text(string(line)), Attributes: []*common.KeyValue{attribute("rig.index", fmt.Sprint(i))},
		})
	}
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			attribute("service.name", "feeds"), attribute("k8s.cluster.name", "rig"),
			attribute("k8s.namespace.name", "shop"), attribute("k8s.pod.name", podName(begin)),
		}},
		ScopeLogs: []*logs.ScopeLogs{scope},
	}}}, nil
}

// exporter sends one request and returns the peer's answer.
type exporter func(ctx context.Context, request *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error)

func grpcExporter(address, token string, compress bool) (exporter, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	var options []grpc.CallOption
	if compress {
		options = append(options, grpc.UseCompressor(grpcgzip.Name))
	}
	client := collector.NewLogsServiceClient(connection)
	return func(ctx context.Context, request *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return client.Export(ctx, request, options...)
	}, nil
}

func httpExporter(url, token, encoding string, compress bool) exporter {
	return func(ctx context.Context, request *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
		body, err := proto.Marshal(request)
		kind := "application/x-protobuf"
		if encoding == "json" {
			body, err = protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(request)
			kind = "application/json"
		}
		if err != nil {
			return nil, err
		}
		if compress {
			var packed bytes.Buffer
			writer := gzip.NewWriter(&packed)
			writer.Write(body)
			writer.Close()
			body = packed.Bytes()
		}
		post, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		post.Header.Set("Content-Type", kind)
		if compress {
			post.Header.Set("Content-Encoding", "gzip")
		}
		if token != "" {
			post.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := http.DefaultClient.Do(post)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		body, err = io.ReadAll(io.LimitReader(answer.Body, 4<<20))
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %.200s", answer.Status, body)
		}
		response := &collector.ExportLogsServiceResponse{}
		if len(body) == 0 {
			return response, nil // in protobuf an empty body is full success; for JSON exporters tolerate it too
		}
		if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
			return response, protojson.Unmarshal(body, response)
		}
		return response, proto.Unmarshal(body, response)
	}
}

func otlp(arguments []string) error {
	set := flag.NewFlagSet("otlp", flag.ExitOnError)
	var p pace
	p.flags(set)
	to := set.String("to", "127.0.0.1:8790", "loopback HOST:PORT for gRPC, or an http:// URL")
	file := set.String("file", "", "JSON lines to send as bodies")
	batch := set.Int("batch", 100, "records in one request")
	encoding := set.String("encoding", "protobuf", "protobuf or json (HTTP only)")
	compress := set.Bool("gzip", false, "compress requests")
	path := set.String("record", "", "write what was sent here, JSON lines")
	token := set.String("token", os.Getenv("TOCSIN_RIG_TOKEN"), "bearer token")
	set.Parse(arguments)

	if err := loopback(*to); err != nil {
		return err
	}
	if p.count == 0 || *batch < 1 {
		return fmt.Errorf("otlp needs -count and -batch above 0")
	}
	all, err := lines(*file)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		p.count = min(p.count, len(all))
	}
	written, err := openRecord(*path)
	if err != nil {
		return err
	}
	export := httpExporter(*to, *token, *encoding, *compress)
	if !strings.Contains(*to, "://") {
		if export, err = grpcExporter(*to, *token, *compress); err != nil {
			return err
		}
	}
	began, sent, rejected := time.Now(), 0, int64(0)
	p.rate = (p.rate + *batch - 1) / *batch // requests a second
	requests := (p.count + *batch - 1) / *batch
	err = p.each(context.Background(), requests, func(i int) error {
		request, err := logsRequest(all, i**batch, min(*batch, p.count-i**batch))
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		response, err := export(ctx, request)
		if err != nil {
			return fmt.Errorf("request %d of %d: %w", i+1, requests, err)
		}
		sent += len(request.ResourceLogs[0].ScopeLogs[0].LogRecords)
		rejected += response.GetPartialSuccess().GetRejectedLogRecords()
		return written.add("otlp", 1, i, request)
	})
	log.Printf("%d of %d records accepted, %d rejected, %v", int64(sent)-rejected, p.count, rejected, time.Since(began).Round(time.Millisecond))
	return err
}

// watch reads a feed and prints each message; it fails if fewer than -count arrive before the stream ends.
func watch(arguments []string) error {
	set := flag.NewFlagSet("watch", flag.ExitOnError)
	from := set.String("from", "127.0.0.1:19096", "loopback HOST:PORT or unix:PATH")
	feed := set.String("feed", "falco", "falco, falco-get, kubearmor or tetragon")
	count := set.Int("count", 0, "stop after this many (0: at the end of the stream)")
	quiet := set.Bool("quiet", false, "count only")
	set.Parse(arguments)
	if err := loopback(*from); err != nil {
		return err
	}
	connection, err := grpc.NewClient(*from, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	receive, err := subscribe(context.Background(), connection, *feed)
	if err != nil {
		return err
	}
	began, got := time.Now(), 0
	for *count == 0 || got < *count {
		message, err := receive()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		got++
		if !*quiet {
			line, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
			if err != nil {
				return err
			}
			fmt.Println(string(line))
		}
	}
	log.Printf("%s: got %d in %v", *feed, got, time.Since(began).Round(time.Millisecond))
	if got < *count {
		return fmt.Errorf("wanted %d", *count)
	}
	return nil
}

func subscribe(ctx context.Context, connection *grpc.ClientConn, feed string) (func() (proto.Message, error), error) {
	switch feed {
	case "kubearmor":
		stream, err := kubearmor.NewLogServiceClient(connection).WatchAlerts(ctx, &kubearmor.RequestMessage{Filter: "policy"})
		return func() (proto.Message, error) { return stream.Recv() }, err
	case "tetragon":
		stream, err := tetragon.NewFineGuidanceSensorsClient(connection).GetEvents(ctx, &tetragon.GetEventsRequest{})
		return func() (proto.Message, error) { return stream.Recv() }, err
	case "falco-get":
		stream, err := outputs.NewServiceClient(connection).Get(ctx, &outputs.Request{})
		return func() (proto.Message, error) { return stream.Recv() }, err
	case "falco":
		stream, err := outputs.NewServiceClient(connection).Sub(ctx)
		if err != nil {
			return nil, err
		}
		if err := stream.Send(&outputs.Request{}); err != nil {
			return nil, err
		}
		return func() (proto.Message, error) { return stream.Recv() }, stream.CloseSend()
	}
	return nil, fmt.Errorf("no feed %q", feed)
}
