# SPDX-License-Identifier: Apache-2.0
"""What becomes of one KubeArmor event on its roads: the relay's JSON is the form that corpora have.

By the facts of KubeArmor's feeder and structs (v1.7): the agent's file has other keys, zero values, the machine's
name instead of the node's, no cluster, and the type before gRPC renames it; Go marks each invalid byte with U+FFFD.
"""
import json

AGENT_KEYS = {"HostPID": "hostPid", "HostPPID": "hostPPid", "PID": "pid", "PPID": "ppid", "UID": "uid", "TTY": "tty",
              "ATags": "atags", "UserName": "username", "MaxAlertsPerSec": "MaxAlertsPerSec",
              "DroppingAlertsInterval": "DroppingAlertsInterval"}
AGENT_ALWAYS = {"hostPPid": 0, "hostPid": 0, "ppid": 0, "pid": 0, "uid": 0, "parentProcessName": "", "processName": "", "atags": None,
                "source": "", "resource": "", "cwd": "", "oid": 0, "result": "", "execEvent": {"ExecID": "", "ExecutableName": ""}}
ONLY_GRPC = {"ClusterName", "NodeID", "ATags"}


def agent_file(event):
    """@event as the agent's own file has it."""
    out = dict(AGENT_ALWAYS)
    for key, value in event.items():
        if key not in ONLY_GRPC:
            out[AGENT_KEYS.get(key, key[0].lower() + key[1:])] = value
    if isinstance(event.get("Owner"), dict):
        out["owner"] = {key.lower(): value for key, value in event["Owner"].items()}
    if event.get("ContainerID") not in (None, "", "host"):
        out["hostName"] = "machine-of-" + str(event.get("HostName"))
    if event.get("Operation") == "NetworkFirewall":
        out["type"] = "MatchedHostPolicy"
    if str(event.get("Type")).endswith("Log"):
        out.update(policyName="DefaultPosture", action="Block", severity="9", message="of a policy", tags="MITRE_T1059")
    return json.dumps(out).encode()


def sidekick(event):
    """@event as KubeArmor's fork of falcosidekick posts it."""
    top = {key: event[key] for key in ("Timestamp", "UpdatedTime", "ClusterName", "HostName") if key in event}
    detail = {key: value for key, value in event.items() if key not in top}
    return json.dumps({**top, "EventType": "Alert", "Detail": detail}).encode()


def export(event):
    """@event with what a SaaS export adds, and its keys sorted."""
    added = {"cluster_id": "1", "component_name": "kubearmor", "tenant_id": "2", "HashID": "00", "instanceID": "0", "workload": "1"}
    return json.dumps({**event, **added, "ClusterName": "elsewhere"}, sort_keys=True, indent=1).encode()
