// SPDX-License-Identifier: Apache-2.0

// grpc-peer: grpc-go as the other side of our gRPC core.
//
//	serve   the methods of tests/lib/grpc_echo.c; prints its port; SIGTERM: GracefulStop
//	check   calls the methods of a server and says what does not hold, in lines "ok" and "not ok"
//	idle    pings every ten seconds, with and without data, for as long as it is told
//	leave   has a call under way while the server is told to stop
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

type options struct {
	address, ca, certificate, key, clientCA string
	ping, age, seconds                      time.Duration
	streams                                 uint
}

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc-peer:", err)
		os.Exit(1)
	}
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	die(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func certificates(o *options) []tls.Certificate {
	if o.certificate == "" {
		return nil
	}
	own, err := tls.LoadX509KeyPair(o.certificate, o.key)
	die(err)
	return []tls.Certificate{own}
}

func clientCredentials(o *options) credentials.TransportCredentials {
	if o.ca == "" {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{RootCAs: pool(o.ca), Certificates: certificates(o)})
}

func serverCredentials(o *options) credentials.TransportCredentials {
	if o.certificate == "" {
		return insecure.NewCredentials()
	}
	config := &tls.Config{Certificates: certificates(o)}
	if o.clientCA != "" {
		config.ClientCAs, config.ClientAuth = pool(o.clientCA), tls.RequireAndVerifyClientCert
	}
	return credentials.NewTLS(config)
}

func main() {
	o := &options{}
	commands := map[string]func(*options){"serve": serve, "check": check, "idle": idle, "leave": leave}
	flags := flag.NewFlagSet("grpc-peer", flag.ExitOnError)
	flags.StringVar(&o.address, "address", "", "of the server: HOST:PORT, or unix:PATH")
	flags.StringVar(&o.ca, "ca", "", "PEM file: TLS, with servers it vouches for")
	flags.StringVar(&o.certificate, "certificate", "", "PEM file of our own")
	flags.StringVar(&o.key, "key", "", "PEM file of our own")
	flags.StringVar(&o.clientCA, "client-ca", "", "serve: PEM file; clients need a certificate")
	flags.DurationVar(&o.ping, "ping", 0, "serve: ping a connection that says nothing")
	flags.DurationVar(&o.age, "age", 0, "serve: GOAWAY to connections of this age")
	flags.DurationVar(&o.seconds, "for", 0, "idle: how long")
	flags.UintVar(&o.streams, "streams", 1000, "serve: calls of a connection at once")
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		die(fmt.Errorf("the first word is serve, check, idle or leave, not %q", os.Args[1:]))
	}
	die(flags.Parse(os.Args[2:]))
	commands[os.Args[1]](o)
}
