// SPDX-License-Identifier: Apache-2.0

// grpc-count PORT: grpc-go with the intake's methods, which count records and acknowledge them, and nothing else. Messages stay
// bytes: less work than generated code would do.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// fields calls f with each field of a message.
func fields(message []byte, f func(number protowire.Number, bytes []byte)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		var bytes []byte
		if kind == protowire.BytesType {
			bytes, _ = protowire.ConsumeBytes(message)
		}
		f(number, bytes)
		message = message[size:]
	}
	return nil
}

func records(batch []byte) (n uint64, err error) {
	err = fields(batch, func(number protowire.Number, _ []byte) {
		if number == 2 {
			n++
		}
	})
	return n, err
}

func answer(number uint64) *[]byte {
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), number)
	return &out
}

func push(_ any, stream grpc.ServerStream) error {
	var total uint64
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return nil
		}
		err := fields(message, func(number protowire.Number, bytes []byte) {
			if number == 2 {
				n, _ := records(bytes)
				total += n
			}
		})
		if err != nil {
			return err
		}
		if err := stream.SendMsg(answer(total)); err != nil {
			return err
		}
	}
}

func pushBatch(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var message []byte
	if err := decode(&message); err != nil {
		return nil, err
	}
	n, err := records(message)
	return answer(n), err
}

func main() {
	encoding.RegisterCodecV2(raw{})
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "tocsin.intake.v1.Intake",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "PushBatch", Handler: pushBatch}},
		Streams:     []grpc.StreamDesc{{StreamName: "Push", Handler: push, ServerStreams: true, ClientStreams: true}},
	}, struct{}{})
	if err := server.Serve(listener); err != nil {
		os.Exit(1)
	}
}
