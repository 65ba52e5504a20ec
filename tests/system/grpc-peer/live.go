// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
)

// stays: the connection that is up now is the same to the end of the time.
func stays(c caller, end <-chan time.Time) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	changed := make(chan bool, 1)
	go func() { changed <- c.WaitForStateChange(ctx, connectivity.Ready) }()
	select {
	case <-changed:
		die(fmt.Errorf("the connection is %v", c.GetState()))
	case <-end:
	}
}

// idle: two connections that ping every ten seconds (grpc-go pings no faster), one with a word a second and one without a call.
func idle(o *options) {
	pings := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 2 * time.Second, PermitWithoutStream: true})
	quiet, talking := dial(o, pings), dial(o, pings)
	ctx, cancel := context.WithTimeout(context.Background(), o.seconds+10*time.Second)
	defer cancel()
	die(quiet.echoes(ctx, nil))
	die(talking.echoes(ctx, nil))
	go func() {
		for range time.Tick(time.Second) {
			die(talking.echoes(ctx, []byte("word")))
		}
	}()
	end := time.After(o.seconds)
	done := make(chan bool)
	go func() { stays(talking, time.After(o.seconds)); done <- true }()
	stays(quiet, end)
	<-done
	die(quiet.echoes(ctx, nil))
}

// leave: a call is under way when the server is told to stop (at "begun"). It ends well; a new one is UNAVAILABLE.
func leave(o *options) {
	c := dial(o)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stream, err := c.stream(ctx, "Talk")
	die(err)
	word := []byte("word")
	die(stream.SendMsg(&word))
	die(stream.RecvMsg(&word))
	fmt.Println("begun")
	if !c.WaitForStateChange(ctx, connectivity.Ready) {
		die(fmt.Errorf("no GOAWAY came"))
	}
	for range 100 {
		die(stream.SendMsg(&word))
		die(stream.RecvMsg(&word))
	}
	die(expect(c.echoes(ctx, nil), codes.Unavailable))
	die(stream.CloseSend())
	if err := stream.RecvMsg(&word); err != io.EOF {
		die(fmt.Errorf("%v where the end was wanted", err))
	}
	fmt.Println("ended well")
}
