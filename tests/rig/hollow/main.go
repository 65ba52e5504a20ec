// SPDX-License-Identifier: Apache-2.0

// Hollow runs the real kubelet (HTTPS server, authentication, authorisation, pod sync, node status) over the
// in-process fake container runtime of kubemark, bound to 127.0.0.1.
//
// Not real: containers, images, networking, and the content of a checkpoint. The fake runtime only counts a checkpoint
// request, so a small placeholder tar is written here at the path that the kubelet chose.
package main

import (
	"archive/tar"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
	fakeremote "k8s.io/cri-client/pkg/fake"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubelet/server"
	"k8s.io/kubernetes/pkg/kubemark"
)

// checkpointer is the fake runtime with a checkpoint that leaves a file behind, late or failing if a test asks for it.
type checkpointer struct {
	internalapi.RuntimeService
	delay time.Duration
	fail  string
}

func (c checkpointer) CheckpointContainer(ctx context.Context, request *runtimeapi.CheckpointContainerRequest) error {
	time.Sleep(c.delay)
	if c.fail != "" {
		return fmt.Errorf("%s", c.fail)
	}
	if err := c.RuntimeService.CheckpointContainer(ctx, request); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(request.Location), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(request.Location, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	body := fmt.Appendf(nil, `{"id":%q,"placeholder":true}`, request.ContainerId)
	archive := tar.NewWriter(file)
	if err := archive.WriteHeader(&tar.Header{Name: "config.dump", Mode: 0o600, Size: int64(len(body))}); err != nil {
		return err
	}
	if _, err := archive.Write(body); err != nil {
		return err
	}
	return archive.Close()
}

func must[T any](value T, err error) T {
	if err != nil {
		klog.Fatal(err)
	}
	return value
}

func main() {
	name := flag.String("name", "hollow1", "node name")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of an account that may act as a kubelet")
	port := flag.Int("port", 10250, "kubelet port on 127.0.0.1")
	dir := flag.String("dir", "", "folder for checkpoints and pod files")
	cert := flag.String("cert", "", "server certificate, PEM")
	key := flag.String("key", "", "server key, PEM")
	delay := flag.Duration("checkpoint-delay", 0, "let every checkpoint take this long")
	fail := flag.String("checkpoint-error", "", "let every checkpoint fail with this text")
	flag.Parse()

	ctx := context.Background()
	client := clientset.NewForConfigOrDie(must(clientcmd.BuildConfigFromFlags("", *kubeconfig)))
	flags, config := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: *name, KubeletPort: *port, MaxPods: 110,
		NodeLabels: map[string]string{"kubernetes.io/hostname": *name},
	})
	os.RemoveAll(flags.RootDirectory) // kubemark makes its folders in /tmp whatever TMPDIR says
	flags.RootDirectory = *dir
	config.PodLogsDir, config.StaticPodPath = filepath.Join(*dir, "pod-logs"), filepath.Join(*dir, "static-pods")
	for _, path := range []string{config.PodLogsDir, config.StaticPodPath} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			klog.Fatal(err)
		}
	}
	config.Address = "127.0.0.1"
	config.Authentication.Webhook.Enabled, config.Authentication.Anonymous.Enabled = true, false
	config.Authorization.Mode = "Webhook"

	endpoint := must(fakeremote.GenerateEndpoint())
	fake := fakeremote.NewFakeRemoteRuntime()
	if err := fake.Start(endpoint); err != nil {
		klog.Fatal(err)
	}
	logger := klog.Background()
	runtime := must(remote.NewRemoteRuntimeService(endpoint, 15*time.Second, noop.NewTracerProvider(), &logger))
	kubelet := kubemark.NewHollowKubelet(flags, config, client, client, &cadvisortest.Fake{NodeName: *name},
		fake.ImageService, checkpointer{runtime, *delay, *fail}, cm.NewStubContainerManager())

	pair := must(tls.LoadX509KeyPair(*cert, *key))
	kubelet.KubeletDeps.TLSOptions = &server.TLSOptions{
		Config:   &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		CertFile: *cert, KeyFile: *key,
	}
	auth, runAuth, err := kubeletapp.BuildAuth(types.NodeName(*name), client, *config)
	if err != nil {
		klog.Fatal(err)
	}
	kubelet.KubeletDeps.Auth = auth
	runAuth(ctx.Done())
	kubelet.Run(ctx)
}
