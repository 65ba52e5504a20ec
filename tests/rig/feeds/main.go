// SPDX-License-Identifier: Apache-2.0

// Feeds speaks the wire of the sensors that Tocsin dials, with the Go packages that those sensors publish: Falco's outputs
// service, KubeArmor's LogService and Tetragon's FineGuidanceSensors. It also pushes OTLP logs and, to test itself, reads.
//
//	feeds serve -listen ADDR [-falco FILE] [-kubearmor FILE] [-tetragon FILE] [-count N] [-rate R] [-record FILE]
//	feeds otlp  -to ADDR|URL [-file FILE] [-count N] [-rate R] [-batch B] [-encoding protobuf|json] [-gzip] [-record FILE]
//	feeds watch -from ADDR -feed falco|kubearmor|tetragon [-count N]
//	feeds version
//
// A FILE holds one JSON object a line, as the sensor's own exporter prints it; without one, -count messages are made.
// The record is one JSON line for each message handed to the transport, which is not a proof that the peer took it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	verbs := map[string]func([]string) error{"serve": serve, "otlp": otlp, "watch": watch, "version": version}
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: feeds serve|otlp|watch|version [flags]; -h after a verb lists them")
		os.Exit(64)
	}
	if err := verbs[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func version([]string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("built without module information")
	}
	names := map[string]string{
		"github.com/falcosecurity/client-go": "Falco client-go", "github.com/kubearmor/KubeArmor/protobuf": "KubeArmor protobuf",
		"github.com/cilium/tetragon/api": "Tetragon api", "go.opentelemetry.io/proto/otlp": "OTLP", "google.golang.org/grpc": "grpc-go",
	}
	var parts []string
	for _, module := range info.Deps {
		if name := names[module.Path]; name != "" {
			parts = append(parts, name+" "+module.Version)
		}
	}
	fmt.Println(strings.Join(parts, ", "))
	return nil
}

// pace is what to send: lines of a file or made-up messages, at most count (0: no end), rate a second (0: no wait).
type pace struct {
	count, rate int
}

func (p *pace) flags(set *flag.FlagSet) {
	set.IntVar(&p.count, "count", 1000, "messages for each stream (0: no end; a file is then repeated)")
	set.IntVar(&p.rate, "rate", 0, "messages a second (0: as fast as the peer takes them)")
}

// each calls send for 0, 1, … at the wanted rate until count, an error or the end of ctx.
func (p *pace) each(ctx context.Context, count int, send func(i int) error) error {
	began := time.Now()
	for i := 0; count == 0 || i < count; i++ {
		if p.rate > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(p.rate)))):
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := send(i); err != nil {
			return err
		}
	}
	return nil
}

// lines reads a file of JSON lines; no file is no lines.
func lines(path string) ([][]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all [][]byte
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		if text := strings.TrimSpace(scanner.Text()); text != "" {
			all = append(all, []byte(text))
		}
	}
	return all, scanner.Err()
}

// record writes what was sent. Safe for use by several streams; a nil file records nothing.
type record struct {
	mutex sync.Mutex
	file  *os.File
}

func openRecord(path string) (*record, error) {
	if path == "" {
		return &record{}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	return &record{file: file}, err
}

func (r *record) add(feed string, stream int64, i int, message proto.Message) error {
	if r.file == nil {
		return nil
	}
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		return err
	}
	line, err := json.Marshal(struct {
		Feed    string          `json:"feed"`
		Stream  int64           `json:"stream"`
		Index   int             `json:"index"`
		SentAt  time.Time       `json:"sent_at"`
		Message json.RawMessage `json:"message"`
	}{feed, stream, i, time.Now().UTC(), body})
	if err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, err = r.file.Write(append(line, '\n'))
	return err
}

// loopback refuses every address but this machine's own and Unix sockets.
func loopback(address string) error {
	if strings.HasPrefix(address, "unix:") {
		return nil
	}
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: want HOST:PORT or unix:PATH: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s: only loopback addresses are allowed", address)
	}
	return nil
}
