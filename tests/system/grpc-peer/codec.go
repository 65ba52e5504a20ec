// SPDX-License-Identifier: Apache-2.0

package main

import (
	"google.golang.org/grpc/mem"
)

// raw leaves messages as bytes: what is sent is *[]byte, and no generated code is needed.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
