// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cilium/tetragon/api/v1/tetragon"
	"github.com/falcosecurity/client-go/pkg/api/outputs"
	falco "github.com/falcosecurity/client-go/pkg/api/version"
	kubearmor "github.com/kubearmor/KubeArmor/protobuf"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/proto"
)

// source makes the messages of one feed: the lines of a file in turn, or generated ones.
type source struct {
	name     string
	lines    [][]byte
	decode   func(line []byte) (proto.Message, error)
	generate func(i int) proto.Message
}

func (s *source) message(i int) (proto.Message, error) {
	if len(s.lines) == 0 {
		return s.generate(i), nil
	}
	n := i % len(s.lines)
	message, err := s.decode(s.lines[n])
	if err != nil {
		return nil, fmt.Errorf("%s, line %d: %w", s.name, n+1, err)
	}
	return message, nil
}

type server struct {
	kubearmor.UnimplementedLogServiceServer
	tetragon.UnimplementedFineGuidanceSensorsServer
	pace    pace
	hold    time.Duration
	record  *record
	streams atomic.Int64
}

// stream sends one source's messages to one client, then keeps the stream open for hold.
func (s *server) stream(ctx context.Context, from *source, begin, count int, send func(proto.Message) error) error {
	number, began, sent := s.streams.Add(1), time.Now(), 0
	err := s.pace.each(ctx, count, func(i int) error {
		message, err := from.message(begin + i)
		if err != nil {
			return err
		}
		if err := send(message); err != nil {
			return err
		}
		sent++
		return s.record.add(from.name, number, begin+i, message)
	})
	log.Printf("%s: stream %d sent %d in %v: %v", from.name, number, sent, time.Since(began).Round(time.Millisecond), err)
	if err == nil && s.hold > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(s.hold):
		}
	}
	return err
}

// count is the number of messages of a stream: all lines of a file once, unless -count was given.
func (s *server) count(from *source) int {
	if len(from.lines) > 0 && s.pace.count > len(from.lines) {
		return len(from.lines)
	}
	return s.pace.count
}

type kubearmorServer struct {
	*server
	alerts *source
	kubearmor.UnimplementedLogServiceServer
}

func (s kubearmorServer) HealthCheck(_ context.Context, nonce *kubearmor.NonceMessage) (*kubearmor.ReplyMessage, error) {
	return &kubearmor.ReplyMessage{Retval: nonce.Nonce}, nil
}

func (s kubearmorServer) WatchAlerts(request *kubearmor.RequestMessage, stream kubearmor.LogService_WatchAlertsServer) error {
	if request.Filter != "all" && request.Filter != "policy" {
		return nil // as upstream: a wrong filter is an empty stream with status OK
	}
	return s.stream(stream.Context(), s.alerts, 0, s.count(s.alerts), func(m proto.Message) error { return stream.Send(m.(*kubearmor.Alert)) })
}

func (s kubearmorServer) WatchMessages(_ *kubearmor.RequestMessage, stream kubearmor.LogService_WatchMessagesServer) error {
	<-stream.Context().Done()
	return nil
}

func (s kubearmorServer) WatchLogs(_ *kubearmor.RequestMessage, stream kubearmor.LogService_WatchLogsServer) error {
	<-stream.Context().Done()
	return nil
}

type tetragonServer struct {
	*server
	events *source
	tetragon.UnimplementedFineGuidanceSensorsServer
}

func (s tetragonServer) GetVersion(context.Context, *tetragon.GetVersionRequest) (*tetragon.GetVersionResponse, error) {
	return &tetragon.GetVersionResponse{Version: "v1.7.0-feeds"}, nil
}

// GetEvents ignores the request's filters.
func (s tetragonServer) GetEvents(_ *tetragon.GetEventsRequest, stream tetragon.FineGuidanceSensors_GetEventsServer) error {
	return s.stream(stream.Context(), s.events, 0, s.count(s.events), func(m proto.Message) error { return stream.Send(m.(*tetragon.GetEventsResponse)) })
}

// falcoServer has Falco's one queue for the whole process: a message goes to one client only. get drains what is queued
// (here a tenth of the rest, at least one) and ends; sub serves once for each request that the client sends.
type falcoServer struct {
	*server
	alerts *source
	next   *atomic.Int64
	outputs.UnimplementedServiceServer
}

func (s falcoServer) take(part int64) (begin, n int) {
	total := int64(s.count(s.alerts))
	for {
		at := s.next.Load()
		rest := (total - at + part - 1) / part
		if total == 0 {
			rest = 1000
		}
		if s.next.CompareAndSwap(at, at+rest) {
			return int(at), int(rest)
		}
	}
}

func (s falcoServer) drain(ctx context.Context, part int64, send func(*outputs.Response) error) error {
	begin, n := s.take(part)
	if n == 0 {
		return nil
	}
	return s.stream(ctx, s.alerts, begin, n, func(m proto.Message) error { return send(m.(*outputs.Response)) })
}

func (s falcoServer) Get(_ *outputs.Request, stream outputs.Service_GetServer) error {
	return s.drain(stream.Context(), 10, stream.Send)
}

func (s falcoServer) Sub(stream outputs.Service_SubServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return nil // the client closed its side
		}
		if err := s.drain(stream.Context(), 1, stream.Send); err != nil {
			return err
		}
	}
}

type falcoVersion struct {
	falco.UnimplementedServiceServer
}

func (falcoVersion) Version(context.Context, *falco.Request) (*falco.Response, error) {
	return &falco.Response{Version: "0.43.0", Minor: 43}, nil
}

// mutualTLS is what Falco demands on TCP: a server certificate, and a client certificate of the given authority.
func mutualTLS(cert, key, authority string) (grpc.ServerOption, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if authority != "" {
		pem, err := os.ReadFile(authority)
		if err != nil {
			return nil, err
		}
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in it", authority)
		}
	}
	return grpc.Creds(credentials.NewTLS(config)), nil
}

func serve(arguments []string) error {
	set := flag.NewFlagSet("serve", flag.ExitOnError)
	s := &server{}
	s.pace.flags(set)
	listen := set.String("listen", "127.0.0.1:19096", "loopback HOST:PORT or unix:PATH")
	files := map[string]*string{}
	for _, name := range []string{"falco", "kubearmor", "tetragon"} {
		files[name] = set.String(name, "", "JSON lines for this feed")
	}
	set.DurationVar(&s.hold, "hold", 0, "keep a stream open this long after its last message")
	path := set.String("record", "", "write what was sent here, JSON lines")
	idle := set.Duration("keepalive", 5*time.Second, "ping a silent client after this long (KubeArmor: relay 5s, daemon 1s)")
	cert, key := set.String("tls-cert", "", "server certificate, PEM"), set.String("tls-key", "", "server key, PEM")
	authority := set.String("tls-client-ca", "", "require client certificates of this authority")
	set.Parse(arguments)

	if err := loopback(*listen); err != nil {
		return err
	}
	sources := map[string]*source{
		"falco":     {name: "falco", decode: decodeFalco, generate: generateFalco},
		"kubearmor": {name: "kubearmor", decode: decodeKubeArmor, generate: generateKubeArmor},
		"tetragon":  {name: "tetragon", decode: decodeTetragon, generate: generateTetragon},
	}
	for name, from := range sources {
		var err error
		if from.lines, err = lines(*files[name]); err != nil {
			return err
		}
		for i := range from.lines { // a bad line is told at start, not in the middle of a test
			if _, err := from.message(i); err != nil {
				return err
			}
		}
	}
	var err error
	if s.record, err = openRecord(*path); err != nil {
		return err
	}
	network, address := "tcp", *listen
	if rest, ok := strings.CutPrefix(*listen, "unix:"); ok {
		network, address = "unix", rest
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	options := []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: *idle}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{PermitWithoutStream: true}),
	}
	if *cert != "" {
		creds, err := mutualTLS(*cert, *key, *authority)
		if err != nil {
			return err
		}
		options = append(options, creds)
	}
	grpcServer := grpc.NewServer(options...)
	kubearmor.RegisterLogServiceServer(grpcServer, kubearmorServer{server: s, alerts: sources["kubearmor"]})
	tetragon.RegisterFineGuidanceSensorsServer(grpcServer, tetragonServer{server: s, events: sources["tetragon"]})
	outputs.RegisterServiceServer(grpcServer, falcoServer{server: s, alerts: sources["falco"], next: &atomic.Int64{}})
	falco.RegisterServiceServer(grpcServer, falcoVersion{})
	reflection.Register(grpcServer)
	log.Printf("serving on %s", *listen)
	return grpcServer.Serve(listener)
}
