// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const most = 4 << 20 // of one message

var both = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

type caller struct{ *grpc.ClientConn }

func dial(o *options, more ...grpc.DialOption) caller {
	connection, err := grpc.NewClient(o.address, append(more, grpc.WithTransportCredentials(clientCredentials(o)),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(64<<20)))...)
	die(err)
	return caller{connection}
}

func (c caller) unary(ctx context.Context, method string, message []byte, more ...grpc.CallOption) ([]byte, error) {
	var answer []byte
	err := c.Invoke(ctx, "/test.Echo/"+method, &message, &answer, more...)
	return answer, err
}

// echoes: the same comes back.
func (c caller) echoes(ctx context.Context, message []byte, more ...grpc.CallOption) error {
	answer, err := c.unary(ctx, "Unary", message, more...)
	if err == nil && !bytes.Equal(answer, message) {
		err = fmt.Errorf("%d bytes came back as %d others", len(message), len(answer))
	}
	return err
}

func (c caller) stream(ctx context.Context, method string) (grpc.ClientStream, error) {
	return c.NewStream(ctx, both, "/test.Echo/"+method)
}

// counts: calls under way, connections, floods.
func (c caller) counts(ctx context.Context) (open, connections, floods int, err error) {
	answer, err := c.unary(ctx, "Counts", nil)
	if err == nil {
		_, err = fmt.Sscan(string(answer), &open, &connections, &floods)
	}
	return
}

// untilOpen waits until so many calls are under way.
func (c caller) untilOpen(ctx context.Context, wanted int) error {
	for {
		open, _, _, err := c.counts(ctx)
		if err != nil || open == wanted {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func expect(err error, wanted codes.Code) error {
	if status.Code(err) == wanted {
		return nil
	}
	return fmt.Errorf("%v where %v was wanted", err, wanted)
}

func random(size int) []byte {
	out := make([]byte, size)
	rand.Read(out)
	return out
}

func tooLong(ctx context.Context, c caller) error {
	if _, err := c.unary(ctx, "Unary", make([]byte, most+1)); expect(err, codes.ResourceExhausted) != nil {
		return expect(err, codes.ResourceExhausted)
	}
	return c.echoes(ctx, nil)
}

// talk sends n messages of so many bytes while it receives them, in order.
func talks(ctx context.Context, c caller, n, size int) error {
	stream, err := c.stream(ctx, "Talk")
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			message := append(fmt.Appendf(nil, "%08d", i), make([]byte, size)...)
			if err := stream.SendMsg(&message); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for i := range n {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if len(message) != size+8 || string(message[:8]) != fmt.Sprintf("%08d", i) {
			return fmt.Errorf("message %d came as %.8q with %d bytes", i, message, len(message))
		}
	}
	var none []byte
	if err := stream.RecvMsg(&none); err != io.EOF {
		return fmt.Errorf("%v where the end was wanted", err)
	}
	return <-sent
}

func clientStreams(ctx context.Context, c caller) error {
	stream, err := c.stream(ctx, "ClientStream")
	if err != nil {
		return err
	}
	message := random(10000)
	for range 1000 {
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
	var answer []byte
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(&answer); err != nil || string(answer) != "1000 10000000" {
		return fmt.Errorf("%q, %v", answer, err)
	}
	return nil
}

func serverStreams(ctx context.Context, c caller, n, size int) error {
	stream, err := c.stream(ctx, "ServerStream")
	if err != nil {
		return err
	}
	wish := fmt.Appendf(nil, "%d %d", n, size)
	if err := stream.SendMsg(&wish); err != nil {
		return err
	}
	stream.CloseSend()
	for i := 0; ; i++ {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF && i == n {
			return nil
		} else if err != nil || len(message) != size {
			return fmt.Errorf("message %d of %d bytes: %v", i, len(message), err)
		}
	}
}

// notOne: no message, or two, to a method that takes one.
func notOne(ctx context.Context, c caller) error {
	for _, n := range []int{0, 2} {
		stream, err := c.stream(ctx, "Unary")
		if err != nil {
			return err
		}
		message := []byte("x")
		for range n {
			stream.SendMsg(&message)
		}
		stream.CloseSend()
		for err == nil {
			err = stream.RecvMsg(&message)
		}
		// The first of two may have been answered before the second came.
		if n == 2 && err == io.EOF {
			continue
		}
		if err := expect(err, codes.Internal); err != nil {
			return fmt.Errorf("%d messages: %w", n, err)
		}
	}
	return nil
}

func cancels(ctx context.Context, c caller) error {
	inner, cancel := context.WithCancel(ctx)
	stream, err := c.stream(inner, "Silent")
	if err != nil {
		cancel()
		return err
	}
	err = c.untilOpen(ctx, 1)
	cancel()
	if err != nil {
		return err
	}
	var none []byte
	if err := expect(stream.RecvMsg(&none), codes.Canceled); err != nil {
		return err
	}
	return c.untilOpen(ctx, 0)
}

// manyCancels: as many as an honest client has when its own caller goes away, some times over.
func manyCancels(ctx context.Context, c caller) error {
	for range 4 {
		inner, cancel := context.WithCancel(ctx)
		for range 90 {
			if _, err := c.stream(inner, "Silent"); err != nil {
				cancel()
				return err
			}
		}
		err := c.untilOpen(ctx, 90)
		cancel()
		if err == nil {
			err = c.untilOpen(ctx, 0)
		}
		if err != nil {
			return err
		}
	}
	_, _, floods, err := c.counts(ctx)
	if err == nil && floods != 0 {
		err = fmt.Errorf("was taken for a flood")
	}
	return err
}

func deadline(ctx context.Context, c caller) error {
	inner, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := c.unary(inner, "Silent", nil); expect(err, codes.DeadlineExceeded) != nil {
		return expect(err, codes.DeadlineExceeded)
	}
	return c.untilOpen(ctx, 0)
}

func statuses(ctx context.Context, c caller) error {
	text := "no: 100% ärger\n\x01 \"why\" %41 " + strings.Repeat("long ", 300)
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		_, err := c.unary(metadata.AppendToOutgoingContext(ctx, "x-status", fmt.Sprint(uint32(code))), "Fail", []byte(text))
		whole := status.Convert(err)
		if whole.Code() != code || whole.Message() != text {
			return fmt.Errorf("%v %.100q where %v was wanted", whole.Code(), whole.Message(), code)
		}
		details := whole.Details()
		if len(details) != 1 {
			return fmt.Errorf("%v: %d details: %v", code, len(details), details)
		}
		if why, is := details[0].(*wrapperspb.StringValue); !is || why.Value != "why" {
			return fmt.Errorf("%v: details %v", code, details[0])
		}
	}
	return nil
}

func tellsMetadata(ctx context.Context, c caller) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for size := range 6 { // base64 has three kinds of ends
		bin := string(all[250-size:])
		answer, err := c.unary(metadata.AppendToOutgoingContext(ctx, "x-word", "plain", "x-word-bin", bin), "Metadata", nil)
		if err != nil || !bytes.HasPrefix(answer, []byte("plain"+bin)) {
			return fmt.Errorf("%q, %v", answer, err)
		}
	}
	return nil
}

func tooMuchMetadata(ctx context.Context, c caller) error {
	_, err := c.unary(metadata.AppendToOutgoingContext(ctx, "x-word", strings.Repeat("x", 20000)), "Metadata", nil)
	if err == nil {
		return fmt.Errorf("20 000 bytes of metadata were taken")
	}
	return c.echoes(ctx, []byte("still there"))
}

func packed(ctx context.Context, c caller) error {
	var text []byte // what expands two hundred times is refused
	for i := range 50000 {
		text = fmt.Appendf(text, "all work and no play makes %d, ", i*i)
	}
	for _, message := range [][]byte{nil, []byte("short"), text, random(1 << 20), append(random(1<<20), text...)} {
		if err := c.echoes(ctx, message, grpc.UseCompressor(gzip.Name)); err != nil {
			return fmt.Errorf("%d bytes: %w", len(message), err)
		}
	}
	return nil
}

func bomb(ctx context.Context, c caller) error {
	_, err := c.unary(ctx, "Unary", make([]byte, 100<<20), grpc.UseCompressor(gzip.Name), grpc.MaxCallSendMsgSize(200<<20))
	return expect(err, codes.ResourceExhausted)
}

// odd is a compression that nobody else knows.
type odd struct{}

func (odd) Name() string                                 { return "odd" }
func (odd) Compress(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil }
func (odd) Decompress(r io.Reader) (io.Reader, error)    { return r, nil }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func unknown(ctx context.Context, c caller) error {
	_, err := c.unary(ctx, "Nothing", nil)
	if err := expect(err, codes.Unimplemented); err != nil {
		return err
	}
	encoding.RegisterCompressor(odd{})
	_, err = c.unary(ctx, "Unary", []byte("x"), grpc.UseCompressor("odd"))
	return expect(err, codes.Unimplemented)
}

// crowd: more calls at once than one connection may have; grpc-go waits with the rest.
func crowd(ctx context.Context, c caller) error {
	var all sync.WaitGroup
	failed := make(chan error, 500)
	for range 500 {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := c.echoes(ctx, random(5000)); err != nil {
				failed <- err
			}
		}()
	}
	all.Wait()
	close(failed)
	return <-failed
}

func check(o *options) {
	c := dial(o)
	failed := 0
	subject := func(ctx context.Context, c caller) error {
		answer, err := c.unary(ctx, "Metadata", nil)
		if err == nil && (o.certificate != "") != strings.Contains(string(answer), "CN=caller") {
			err = fmt.Errorf("%q", answer)
		}
		return err
	}
	for _, one := range []struct {
		what string
		f    func(ctx context.Context, c caller) error
	}{
		{"an empty message", func(ctx context.Context, c caller) error { return c.echoes(ctx, nil) }},
		{"a message of the longest", func(ctx context.Context, c caller) error { return c.echoes(ctx, random(most)) }},
		{"a message too long is RESOURCE_EXHAUSTED", tooLong},
		{"twenty thousand small messages there and back", func(ctx context.Context, c caller) error { return talks(ctx, c, 20000, 10) }},
		{"fifty messages of a MiB there and back", func(ctx context.Context, c caller) error { return talks(ctx, c, 50, 1<<20) }},
		{"a stream without messages ends well", func(ctx context.Context, c caller) error { return talks(ctx, c, 0, 0) }},
		{"a thousand messages up, one down", clientStreams},
		{"one message up, a thousand long ones down", func(ctx context.Context, c caller) error { return serverStreams(ctx, c, 1000, 100000) }},
		{"one message up, fifty thousand short ones down", func(ctx context.Context, c caller) error { return serverStreams(ctx, c, 50000, 3) }},
		{"no message, or two, where one is taken, is INTERNAL", notOne},
		{"a call that is cancelled ends there", cancels},
		{"hundreds that are cancelled are no flood", manyCancels},
		{"a deadline ends the call", deadline},
		{"every status, its text and its details", statuses},
		{"metadata of texts and of bytes", tellsMetadata},
		{"too much metadata ends the call alone", tooMuchMetadata},
		{"gzip", packed},
		{"what expands too far is RESOURCE_EXHAUSTED", bomb},
		{"unknown methods and packings are UNIMPLEMENTED", unknown},
		{"five hundred calls at once", crowd},
		{"the caller is who the certificate says, or nobody", subject},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		if err := one.f(ctx, c); err != nil {
			failed = 1
			fmt.Printf("not ok - %s: %v\n", one.what, err)
		} else {
			fmt.Printf("ok - %s\n", one.what)
		}
		cancel()
	}
	os.Exit(failed)
}
