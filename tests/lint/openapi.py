# SPDX-License-Identifier: Apache-2.0
"""
schema/openapi.yaml says what src/console/endpoints.c has, and is sound in itself.

openapi.py SOURCE ENDPOINTS-DUMP   prints what differs, with the lines to add
openapi.py SOURCE --page           prints docs/reference/api.md
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from contract import Contract  # noqa: E402

FILE = "schema/openapi.yaml"
OUTSIDE = ("/livez", "/readyz", "/metrics")


def is_ours(path):
    """Pages are not a contract; /api/v2 is Alertmanager's, which has its own."""
    return path in OUTSIDE or (path.startswith("/api/") and not path.startswith("/api/v2/"))


def endpoints(program):
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {(e["method"], e["path"]): e for e in map(json.loads, lines) if is_ours(e["path"])}


def draft(contract, endpoint):
    """The lines that an endpoint needs in the file; what is between <> is for a person to say."""
    method, path, known = endpoint["method"], endpoint["path"], contract.document["components"]["parameters"]
    lines = [] if path in contract.document["paths"] else ["  %s:" % path]
    if lines:
        lines += ["    parameters: [{$ref: \"#/components/parameters/%s\"}]" % name for name in re.findall(r"{(\w+)}", path)]
    lines += ["    %s:" % method.lower(), "      operationId: <unique>", "      summary: %s" % json.dumps(endpoint["text"]),
              "      tags: [<one of the file's>]", "      x-role: %s" % endpoint["role"]]
    lines += ["      security: []"] if endpoint["role"] == "open" else ["      x-reach: %s" % endpoint["reach"]]
    lines += ["      parameters:"] if endpoint["parameters"] else []
    for name in endpoint["parameters"]:
        lines += ["        - $ref: \"#/components/parameters/%s\"" % name] if name in known else [
            "        - name: %s" % name, "          in: query", "          description: <what>", "          schema: {type: string, minLength: 1, maxLength: 512}"]
    if method in ("POST", "PUT"):
        lines += ["      requestBody: <content, or leave this out>"]
    answers = ["BadRequest 400", "Unauthorized 401", "Forbidden 403", "NotFound 404", "Failed 500", "Busy 503"]
    lines += ["      responses:", "        \"200\":", "          description: <what>", "          content: {%s: {schema: {$ref: \"#/components/schemas/<Name>\"}}}"
              % endpoint["content_type"]] + ["        \"%s\": {$ref: \"#/components/responses/%s\"}" % tuple(reversed(a.split())) for a in answers]
    return lines


def compare_texts(where, what, wanted, found):
    if wanted != found:
        print("%s: %s: %s is %s, src/console/endpoints.c has %s" % (FILE, where, what, found or "absent", wanted or "none"))


def compare(contract, operations, table):
    for key in table.keys() - operations.keys():
        print("%s: no %s %s; add under paths:%s" % (FILE, *key, "\n"), end="")
        print("\n".join(draft(contract, table[key])))
    for key in operations.keys() - table.keys():
        print("%s: src/console/endpoints.c has no %s %s" % (FILE, *key))
    for key in sorted(table.keys() & operations.keys()):
        operation, endpoint, where = operations[key], table[key], "%s %s" % key
        compare_texts(where, "x-role", endpoint["role"], operation.get("x-role"))
        compare_texts(where, "x-reach", endpoint["reach"] if endpoint["role"] != "open" else None, operation.get("x-reach"))
        compare_texts(where, "summary", endpoint["text"], operation.get("summary"))
        named = [p["name"] for p in contract.parameters(*key, "query")]
        compare_texts(where, "the set of query parameters", ", ".join(sorted(endpoint["parameters"])), ", ".join(sorted(named)))
        types = {t for status, r in contract.responses(operation).items() if status < "300" for t in r.get("content", {"": 0})}
        if endpoint["content_type"].split(";")[0] not in types and types != {""}:
            print("%s: %s: no answer of type %s" % (FILE, where, endpoint["content_type"]))


def look_at(contract, key, operation):
    """What each operation must say for itself."""
    where, statuses = "%s: %s %s" % (FILE, *key), operation["responses"].keys()
    if operation.get("x-role") != "open":
        for status in {"401", "403"} - statuses:
            print("%s: no response %s" % (where, status))
    elif operation.get("security") != []:
        print("%s: is open, and must say security: []" % where)
    for status in {"413", "415"} - statuses if "requestBody" in operation else ():
        print("%s: has a body, and no response %s" % (where, status))
    if set(re.findall(r"{(\w+)}", key[1])) != {p["name"] for p in contract.parameters(*key, "path")}:
        print("%s: its path's parameters are not declared" % where)
    for status, response in contract.responses(operation).items():
        if status >= "400" and key[1].startswith("/api/") and list(response.get("content", {})) != ["application/problem+json"]:
            print("%s: %s is no application/problem+json" % (where, status))


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def is_sound(contract, operations):
    """References lead somewhere and nothing is left over; -> can the rest be looked at?"""
    used, sound = set(references(contract.document)), True
    for reference in sorted(used):
        try:
            contract.resolve({"$ref": reference})
        except KeyError:
            print("%s: %s leads nowhere" % (FILE, reference))
            sound = False
    for kind, things in contract.document["components"].items():
        for name in things if kind != "securitySchemes" else ():
            if "#/components/%s/%s" % (kind, name) not in used:
                print("%s: nothing uses components/%s/%s" % (FILE, kind, name))
    ids = [o.get("operationId") for o in operations.values()]
    for name in sorted({str(i) for i in ids if ids.count(i) > 1}):
        print("%s: operationId %s is there twice" % (FILE, name))
    return sound


def compare_alert(contract, path):
    """Types of the API's alert and of what may be sent are one."""
    with open(path) as f:
        wanted = json.load(f)["properties"]
    found = contract.document["components"]["schemas"]["Alert"]["properties"]
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            print("%s: Alert: %s is %s, schema/json/alert.schema.json has %s" % (FILE, name, json.dumps(found.get(name)), json.dumps(wanted.get(name))))


# ---- the reference page ----

def type_of(contract, schema):
    """A schema in few words."""
    if "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        target = contract.resolve(schema)
        return "[%s](#%s)" % (name, name.lower()) if is_section(target) else type_of(contract, target)
    if "enum" in schema:
        return ", ".join("`%s`" % v for v in schema["enum"])
    if "const" in schema:
        return "`%s`" % schema["const"]
    for word in ("anyOf", "allOf"):
        if word in schema:
            return (" or " if word == "anyOf" else " and ").join(type_of(contract, s) for s in schema[word])
    if schema.get("type") == "array":
        return "array of " + type_of(contract, schema.get("items", {}))
    if schema.get("type") == "object" and "properties" in schema:
        return "object {%s}" % ", ".join("`%s`" % n for n in schema["properties"])
    return schema.get("format") or schema.get("type") or "any"


def limits_of(schema):
    shown = []
    if "minimum" in schema and "maximum" in schema:
        shown.append("%s to %s" % (schema["minimum"], schema["maximum"]))
    shown += ["at most %s characters" % schema["maxLength"]] if "maxLength" in schema else []
    shown += ["at most %s items" % schema["maxItems"]] if "maxItems" in schema else []
    shown += ["`%s`" % schema["pattern"].replace("|", "\\|")] if "pattern" in schema else []
    shown += ["usually `%s`" % json.dumps(schema["default"]).strip('"')] if "default" in schema else []
    return "; ".join(shown)


def is_section(schema):
    return "properties" in schema or "allOf" in schema


def row(*cells):
    return "| %s |" % " | ".join(" ".join(str(c).split()) for c in cells)


def members(contract, schema):
    """Rows of an object's members."""
    for name, member in schema.get("properties", {}).items():
        target = contract.resolve(member)
        told = member.get("description") or ("" if is_section(target) else target.get("description", ""))
        always = "yes" if name in schema.get("required", []) else ""
        yield row("`%s`" % name, type_of(contract, member), always, ". ".join(filter(None, (told.rstrip("."), limits_of(target)))))


def operation_lines(contract, key, operation):
    reach = "; " + operation["x-reach"] if "x-reach" in operation else ""
    yield "\n### %s `%s`\n\n%s Role: %s%s.%s" % (key[0], key[1], " ".join(operation["summary"].split()), operation["x-role"], reach, " " + operation["description"] if "description" in operation else "")
    rows = [row("`%s`" % p["name"], place, ". ".join(filter(None, (p.get("description", "").rstrip("."), limits_of(contract.resolve(p["schema"]))
            or type_of(contract, p["schema"]))))) for place in ("query", "header") for p in contract.parameters(*key, place)]
    if rows:
        yield "\n| parameter | in | what |\n|---|---|---|\n" + "\n".join(rows)
    for media in operation.get("requestBody", {}).get("content", {}).values():
        schema = contract.resolve(media["schema"])
        if schema.get("properties"):
            yield "\n| body | type | needed | what |\n|---|---|---|---|\n" + "\n".join(members(contract, schema))
        if "example" in media:
            yield "\nFor example `%s`." % json.dumps(media["example"])
    answers = []
    for status, response in contract.responses(operation).items():
        kinds = [type_of(contract, m["schema"]) if "schema" in m and t == "application/json" else "`%s`" % t
                 for t, m in response.get("content", {}).items() if status < "400"]
        answers.append("%s %s" % (status, kinds[0]) if kinds else status)
    yield "\nAnswers: %s." % ", ".join(answers)


def page(contract):
    document = contract.document
    yield "# HTTP API\n\nMade from [schema/openapi.yaml](../../schema/openapi.yaml), which `GET /api/openapi.yaml` answers, too.\n"
    yield document["info"]["description"]
    for tag in document["tags"]:
        yield "\n## %s%s" % (tag["name"].capitalize(), "\n\n" + tag["description"] if "description" in tag else "")
        for key, operation in contract.operations().items():
            if operation["tags"][0] == tag["name"]:
                yield from operation_lines(contract, key, operation)
    yield "\n## Documents"
    for name, schema in document["components"]["schemas"].items():
        if not is_section(schema):
            continue
        yield "\n### %s" % name
        if "description" in schema:
            yield "\n" + schema["description"]
        if "allOf" in schema:
            yield "\nAll of %s." % " and ".join(type_of(contract, s) for s in schema["allOf"])
        else:
            yield "\n| member | type | always | what |\n|---|---|---|---|\n" + "\n".join(members(contract, schema))


def main():
    source, what = sys.argv[1:]
    try:
        contract = Contract(os.path.join(source, FILE))
    except ValueError as err:
        sys.exit("%s: the mapping at %s" % (FILE, err))
    if what == "--page":
        print("\n".join(page(contract)))
        return
    operations = contract.operations()
    if not is_sound(contract, operations):
        return
    for key, operation in operations.items():
        look_at(contract, key, operation)
    compare(contract, operations, endpoints(what))
    compare_alert(contract, os.path.join(source, "schema/json/alert.schema.json"))


main()
