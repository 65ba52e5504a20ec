# SPDX-License-Identifier: Apache-2.0
"""What clusters are given (packaging/kubernetes): does it fit together, and to the programs? For tests that have a reason to ask."""
import os
import re
import subprocess

import yaml
from checks import check
from daemon import BUILD, SOURCE, wait_for

FOLDER = os.path.join(SOURCE, "packaging/kubernetes")
FILES = ("namespace.yaml", "collector.yaml", "agent.yaml")


def text_of(name, per_node=False):
    """@per_node: with the lines that are comments, without those that they stand for."""
    with open(os.path.join(FOLDER, name)) as f:
        lines = f.read().splitlines()
    if per_node:
        lines = [re.sub(r"^( *)# (- |  (?:hostPath|configMap):)", r"\1\2", line) for line in lines if "--token_file=" not in line]
    return "\n".join(lines) + "\n"


def load(per_node=False):
    """-> {(kind, name): object}"""
    objects = [o for name in FILES for o in yaml.safe_load_all(text_of(name, per_node))]
    return {(o["kind"], o["metadata"]["name"]): o for o in objects}


def pod_of(objects, kind, name):
    return objects[(kind, name)]["spec"]["template"]["spec"]


def flags_of(container):
    return dict(word[2:].split("=", 1) for word in container["args"])


def takes(program, words):
    return subprocess.run([os.path.join(BUILD, "bin", program)] + words + ["--check-config"], capture_output=True, text=True)


def check_programs(objects, what):
    """Do the programs take what the manifests tell them?"""
    for kind, name in (("StatefulSet", "tocsin"), ("DaemonSet", "tocsin-agent")):
        container = pod_of(objects, kind, name)["containers"][0]
        result = takes(container["command"][0], container["args"])
        check("%s: %s takes its arguments" % (what, container["command"][0]), result.returncode == 0, result.stderr)


def check_volumes(objects, what):
    wrong = []
    for kind, name in (("StatefulSet", "tocsin"), ("DaemonSet", "tocsin-agent")):
        pod = pod_of(objects, kind, name)
        there = {v["name"] for v in pod["volumes"]} | {c["metadata"]["name"] for c in objects[(kind, name)]["spec"].get("volumeClaimTemplates", [])}
        mounts = [m for c in pod["containers"] for m in c["volumeMounts"]]
        used = {m["name"] for m in mounts}
        wrong += sorted(there ^ used)
        places = [m["mountPath"] for m in mounts]
        files = [v for v in flags_of(pod["containers"][0]).values() if v.startswith("/")]
        wrong += [f for f in files if not any(f.startswith(place) for place in places)]
    check("%s: each volume is there and used, each file is in one" % what, not wrong, wrong)


def check_ports(objects):
    """From the agent to the collector, and from the kubelet to both."""
    agent = pod_of(objects, "DaemonSet", "tocsin-agent")["containers"][0]
    collector = pod_of(objects, "StatefulSet", "tocsin")["containers"][0]
    ports = {p["name"]: p["containerPort"] for p in collector["ports"]}
    told, asked = flags_of(agent), flags_of(collector)
    service = objects[("Service", "tocsin-grpc")]
    labels = objects[("StatefulSet", "tocsin")]["spec"]["template"]["metadata"]["labels"]
    namespaces = {o["metadata"].get("namespace", o["metadata"]["name"]) for o in objects.values()}
    check("all is in one namespace", namespaces == {"tocsin"}, namespaces)
    check("the agent's server is the collector's Service", told["server"] == "%s.%s.svc:%d" % (
        service["metadata"]["name"], service["metadata"]["namespace"], service["spec"]["ports"][0]["port"]), told["server"])
    check("the Services lead to the collector's ports", service["spec"]["selector"].items() <= labels.items() and
          asked["listen_grpc"].endswith(":%d" % ports[service["spec"]["ports"][0]["targetPort"]]) and
          asked["listen"].endswith(":%d" % ports[objects[("Service", "tocsin")]["spec"]["ports"][0]["targetPort"]]), (ports, asked))
    probes = [agent[k]["httpGet"] for k in ("readinessProbe", "livenessProbe")]
    check("the agent's probes ask where it listens", all("%s:%d" % (p["host"], p["port"]) == told["listen"] for p in probes), probes)


def probe_paths():
    """-> paths that kubelets ask of agents, of the collector."""
    objects = load()
    return [{p["httpGet"]["path"] for name, p in pod_of(objects, kind, name_of)["containers"][0].items() if name.endswith("Probe")}
            for kind, name_of in (("DaemonSet", "tocsin-agent"), ("StatefulSet", "tocsin"))]


def check_falco(objects):
    """The file is the same for Falco, the agent and who rotates it."""
    with open(os.path.join(FOLDER, "falco-values.yaml")) as f:
        values = yaml.safe_load(f)
    pod = pod_of(objects, "DaemonSet", "tocsin-agent")
    path = values["falco"]["file_output"]["filename"]
    folder, name = os.path.split(path)
    check("the agent follows what Falco writes", flags_of(pod["containers"][0])["follow"] == path + "=falco", path)
    places = [v["hostPath"] for v in pod["volumes"] + values["mounts"]["volumes"] if v["name"] == "falco-log"]
    mounts = [m["mountPath"] for m in [m for c in pod["containers"] for m in c["volumeMounts"]] + values["mounts"]["volumeMounts"]
              if m["name"] == "falco-log"]
    check("all of them mean the same folder of the node", places == 2 * [{"path": folder, "type": "DirectoryOrCreate"}] and
          mounts == 3 * [folder], (places, mounts))
    script = pod["containers"][1]["args"][0]
    check("what rotates it means it, too", "cd %s " % folder in script and name in script, script)
    sent = re.search(r"http://([0-9.:]+)/ingest/falco", text_of("falco-values.yaml"))
    check("a Falco of the host's network sends to the agent", sent and sent.group(1) == flags_of(pod["containers"][0])["listen"], sent)
    return script.replace(folder, "."), name


def check_rotation(script, name, folder):
    """The script, sooner and for smaller files."""
    process = subprocess.Popen(["sh", "-c", script.replace("67108864", "100").replace("sleep 30", "sleep 0.1")], cwd=folder)
    path = os.path.join(folder, name)
    try:
        for text in ("a" * 200, "b" * 200, "c" * 200, "d"):
            with open(path, "w") as f:
                f.write(text)
            wait_for(lambda: text == "d" or not os.path.exists(path), 20, "a large file is renamed")
        kept = [open(path + end).read(1) for end in ("", ".1", ".2")]
        check("large files are renamed, two are kept", kept == ["d", "c", "b"] and len(os.listdir(folder)) == 3, kept)
    finally:
        process.terminate()
        check("what rotates ends when it is told to", process.wait(20) == 0)


def check_units():
    """systemd: the user is made, the folder is the program's own, the arguments are known."""
    units = os.path.join(SOURCE, "packaging/systemd")
    for program, folder in (("tocsind", "tocsin"), ("tocsin-agent", "tocsin-agent")):
        with open(os.path.join(units, program + ".service")) as f:
            told = dict(line.strip().split("=", 1) for line in f if "=" in line and line[0] not in "#[")
        with open(os.path.join(units, program + ".sysusers.conf")) as f:
            made = f.read().splitlines()[-1].split()
        path, *words = told["ExecStart"].split()
        usage = subprocess.run([os.path.join(BUILD, "bin", program), "--help"], capture_output=True, text=True, check=True).stdout
        check("%s.service fits to the program" % program, path == "/usr/bin/" + program and told["User"] == made[1] and
              made[-1] == "/var/lib/" + told["StateDirectory"] == "/var/lib/" + folder and made[-1] in usage and
              all(word in usage for word in words if word.startswith("--")), (told, made))


def check_all(folder):
    """@folder: an empty one."""
    objects = load()
    check_programs(objects, "one credential")
    check_volumes(objects, "one credential")
    check_programs(load(per_node=True), "one per node")
    check_volumes(load(per_node=True), "one per node")
    check_ports(objects)
    check_units()
    check_rotation(*check_falco(objects), folder)


def check_schema(program, folder):
    """@program: of kubernetes-validate, which has the schemas of Kubernetes itself."""
    def run(texts):
        paths = []
        for i, text in enumerate(texts):
            paths.append(os.path.join(folder, "%d.yaml" % i))
            with open(paths[-1], "w") as f:
                f.write(text)
        return subprocess.run([program, "--strict"] + paths, capture_output=True, text=True)
    result = run([text_of(name, per_node) for name in FILES for per_node in (False, True)])
    check("Kubernetes' schema has all of the manifests", result.returncode == 0 and "daemonset/tocsin-agent" in result.stderr + result.stdout,
          result.stdout + result.stderr)
    check("and not a word that it has not", run([text_of("agent.yaml").replace("hostNetwork:", "hostNetwrk:")]).returncode != 0)
