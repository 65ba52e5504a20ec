// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cilium/tetragon/api/v1/tetragon"
	"github.com/falcosecurity/client-go/pkg/api/outputs"
	"github.com/falcosecurity/client-go/pkg/api/schema"
	kubearmor "github.com/kubearmor/KubeArmor/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const pods = 50 // generated messages come from this many pods on four nodes

func containerID(i int) string { return fmt.Sprintf("%064x", 0xabc000+i%pods) }
func podName(i int) string     { return fmt.Sprintf("web-%d", i%pods) }
func nodeName(i int) string    { return fmt.Sprintf("node-%d", i%pods%4) }

// decodeFalco turns a line of Falco's JSON output into what its gRPC output sends: every field value is text, and a
// missing one is "<NA>".
func decodeFalco(line []byte) (proto.Message, error) {
	var in struct {
		Time                                     time.Time
		Priority, Rule, Output, Hostname, Source string
		Tags                                     []string
		Fields                                   map[string]any `json:"output_fields"`
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&in); err != nil {
		return nil, err
	}
	priority, known := schema.Priority_value[strings.ToUpper(in.Priority)]
	if !known {
		return nil, fmt.Errorf("no priority %q", in.Priority)
	}
	out := &outputs.Response{
		Time: timestamppb.New(in.Time), Priority: schema.Priority(priority), Rule: in.Rule, Output: in.Output,
		Hostname: in.Hostname, Source: in.Source, Tags: in.Tags, OutputFields: map[string]string{},
	}
	for name, value := range in.Fields {
		switch value := value.(type) {
		case nil:
			out.OutputFields[name] = "<NA>"
		case string:
			out.OutputFields[name] = value
		case json.Number, bool:
			out.OutputFields[name] = fmt.Sprint(value)
		default:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			out.OutputFields[name] = string(text)
		}
	}
	return out, nil
}

func generateFalco(i int) proto.Message {
	now := time.Now()
	return &outputs.Response{
		Time: timestamppb.New(now), Priority: schema.Priority(i % 8), Rule: "Terminal shell in container", Source: "syscall",
		Hostname: nodeName(i), Tags: []string{"T1059", "container", "mitre_execution", "shell"},
		Output: fmt.Sprintf("A shell was spawned in a container (sequence=%d)", i),
		OutputFields: map[string]string{
			"container.id": containerID(i)[:12], "container.name": "web", "evt.time": fmt.Sprint(now.UnixNano()),
			"k8s.ns.name": "shop", "k8s.pod.name": podName(i), "proc.name": "bash", "proc.cmdline": "bash -i",
			"proc.pname": "runc", "proc.tty": "34816", "user.name": "root", "user.loginuid": "-1", "fd.name": "<NA>",
		},
	}
}

func decodeKubeArmor(line []byte) (proto.Message, error) {
	alert := &kubearmor.Alert{}
	return alert, json.Unmarshal(line, alert) // as KubeArmor prints: encoding/json, not the protobuf mapping
}

func generateKubeArmor(i int) proto.Message {
	now := time.Now().UTC()
	tags := []string{"MITRE", "MITRE_T1059_command_and_scripting_interpreter", "NIST_800-53_SI-4"}
	return &kubearmor.Alert{
		Timestamp: now.Unix(), UpdatedTime: now.Format("2006-01-02T15:04:05.000000Z"), ClusterName: "default",
		HostName: nodeName(i), NamespaceName: "shop", PodName: podName(i), Labels: "app=web",
		Owner:       &kubearmor.Podowner{Ref: "Deployment", Name: "web", Namespace: "shop"},
		ContainerID: containerID(i), ContainerName: "web", ContainerImage: "images.example/web:1",
		HostPPID: 100, HostPID: int32(1000 + i%30000), PPID: 1, PID: int32(10 + i%3000),
		ParentProcessName: "/bin/bash", ProcessName: "/usr/bin/curl", PolicyName: "deny-curl", Severity: "5",
		Tags: strings.Join(tags, ","), ATags: tags, Message: fmt.Sprintf("sequence %d", i), Type: "MatchedPolicy",
		Source: "/bin/bash", Operation: "Process", Resource: "/usr/bin/curl", Data: "syscall=SYS_EXECVE",
		EventData: map[string]string{"Syscall": "SYS_EXECVE"}, Enforcer: "BPFLSM", Action: "Block",
		Result: "Permission denied", Cwd: "/",
	}
}

func decodeTetragon(line []byte) (proto.Message, error) {
	event := &tetragon.GetEventsResponse{}
	return event, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(line, event)
}

// generateTetragon makes executions and kprobe hits in turn.
func generateTetragon(i int) proto.Message {
	now := timestamppb.Now()
	process := &tetragon.Process{
		ExecId: fmt.Sprintf("bm9kZS0%08d", i), Pid: wrapperspb.UInt32(uint32(1000 + i)), Uid: wrapperspb.UInt32(0), Cwd: "/",
		Binary: "/bin/bash", Arguments: "-c id", Flags: "execve clone", StartTime: now, Auid: wrapperspb.UInt32(4294967295),
		Docker: containerID(i)[:31],
		Pod: &tetragon.Pod{
			Namespace: "shop", Name: podName(i), Workload: "web", WorkloadKind: "Deployment",
			Container: &tetragon.Container{
				Id: "containerd://" + containerID(i), Name: "web",
				Image: &tetragon.Image{Id: "images.example/web@sha256:00", Name: "images.example/web:1"},
			},
		},
	}
	event := &tetragon.GetEventsResponse{NodeName: nodeName(i), Time: now}
	if i%2 == 0 {
		event.Event = &tetragon.GetEventsResponse_ProcessExec{ProcessExec: &tetragon.ProcessExec{Process: process}}
		return event
	}
	event.Event = &tetragon.GetEventsResponse_ProcessKprobe{ProcessKprobe: &tetragon.ProcessKprobe{
		Process: process, FunctionName: "security_file_permission", PolicyName: "file-monitoring",
		Action: tetragon.KprobeAction_KPROBE_ACTION_SIGKILL, Message: "sensitive file", Tags: []string{"observability.filesystem"},
		Args: []*tetragon.KprobeArgument{
			{Arg: &tetragon.KprobeArgument_FileArg{FileArg: &tetragon.KprobeFile{Path: "/etc/shadow"}}},
			{Arg: &tetragon.KprobeArgument_IntArg{IntArg: 4}},
			{Arg: &tetragon.KprobeArgument_SizeArg{SizeArg: 1 << 40}},
		},
	}}
	return event
}
