// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var open atomic.Int64 // calls

// unary makes a method of a function of bytes.
func unary(name string, f func(ctx context.Context, message []byte) ([]byte, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var message []byte
			if err := decode(&message); err != nil {
				return nil, err
			}
			answer, err := f(ctx, message)
			return &answer, err
		}}
}

func first(ctx context.Context, name string) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func echo(_ context.Context, message []byte) ([]byte, error) { return message, nil }

func tellMetadata(ctx context.Context, _ []byte) ([]byte, error) {
	grpc.SetHeader(ctx, metadata.Pairs("x-head", "one", "x-head", "two", "x-head-bin", "\x00\xff"))
	grpc.SetTrailer(ctx, metadata.Pairs("x-tail-bin", "\x00\xff"))
	return []byte(first(ctx, "x-word") + first(ctx, "x-word-bin")), nil
}

func fail(ctx context.Context, message []byte) ([]byte, error) {
	code, _ := strconv.Atoi(first(ctx, "x-status"))
	whole, err := status.New(codes.Code(code), string(message)).WithDetails(wrapperspb.String("why"))
	if err != nil {
		return nil, err
	}
	return nil, whole.Err()
}

func counts(context.Context, []byte) ([]byte, error) {
	return fmt.Append(nil, open.Load()), nil
}

func talk(_ any, stream grpc.ServerStream) error {
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

func clientStream(_ any, stream grpc.ServerStream) error {
	n, size := 0, 0
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		n++
		size += len(message)
	}
	answer := fmt.Appendf(nil, "%d %d", n, size)
	return stream.SendMsg(&answer)
}

func serverStream(_ any, stream grpc.ServerStream) error {
	var message []byte
	var n, size int
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(message), &n, &size); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	zeros := make([]byte, size)
	for range n {
		if err := stream.SendMsg(&zeros); err != nil {
			return err
		}
	}
	return nil
}

func silent(_ any, stream grpc.ServerStream) error {
	open.Add(1)
	defer open.Add(-1)
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

var service = &grpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{unary("Unary", echo), unary("Metadata", tellMetadata), unary("Fail", fail),
		unary("Counts", counts)},
	Streams: []grpc.StreamDesc{
		{StreamName: "Talk", Handler: talk, ServerStreams: true, ClientStreams: true},
		{StreamName: "ClientStream", Handler: clientStream, ClientStreams: true},
		{StreamName: "ServerStream", Handler: serverStream, ServerStreams: true},
		{StreamName: "Silent", Handler: silent, ServerStreams: true, ClientStreams: true},
	},
}

func serve(o *options) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	die(err)
	settings := keepalive.ServerParameters{MaxConnectionAge: o.age, MaxConnectionAgeGrace: time.Minute}
	if o.ping > 0 {
		settings.Time, settings.Timeout = o.ping, 2*time.Second
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.Creds(serverCredentials(o)), grpc.KeepaliveParams(settings),
		grpc.MaxConcurrentStreams(uint32(o.streams)))
	server.RegisterService(service, struct{}{})
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		fmt.Println("stopping")
		server.GracefulStop()
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	die(server.Serve(listener))
}
