# SPDX-License-Identifier: Apache-2.0
"""
The contract as a test reads it: strict_contract.py SOURCE OUT FACTS

Objects have no members but those that are named, "allOf" is one object, and parameters also take what FACTS (JSON:
{parameter: [values]}) knows to be there, so that most requests hit something. Run by a Python that has PyYAML.
"""
import copy
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contract import Contract  # noqa: E402


def merged(contract, schemas):
    one = {"type": "object", "properties": {}, "required": []}
    for schema in map(contract.resolve, schemas):
        one["properties"].update(schema.get("properties", {}))
        one["required"] += schema.get("required", [])
    return one


def close(contract, node):
    """Closes objects with named members, everywhere below node; -> the new node."""
    if isinstance(node, list):
        return [close(contract, item) for item in node]
    if not isinstance(node, dict):
        return node
    if all("properties" in contract.resolve(one) for one in node.get("allOf", [{}])):
        node = merged(contract, node["allOf"])
    node = {key: close(contract, value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        node.setdefault("additionalProperties", False)
    return node


def main():
    source, out, facts = sys.argv[1:]
    contract = Contract(os.path.join(source, "schema/openapi.yaml"))
    document, known = copy.deepcopy(contract.document), json.loads(facts)
    components = document["components"]
    components["schemas"] = close(contract, components["schemas"])
    components["responses"] = close(contract, components["responses"])
    document["paths"] = close(contract, document["paths"])
    for name, values in known.items():
        parameter = components["parameters"][name]
        parameter["schema"] = {"anyOf": [{"enum": values}, parameter["schema"]]}
    # Parameters cannot say that "after" goes with some orders only, nor what the query language is: asked by hand.
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and "parameters" in operation:
                operation["parameters"] = [p for p in operation["parameters"] if contract.resolve(p)["name"] not in ("q", "sort", "show")]
    # Nor can members of a body in a form that data is made from: namespaces go with some roles only.
    components["schemas"]["TokenWish"]["properties"].pop("namespaces", None)
    # The run's own token stays in force.
    components_token = document["paths"]["/api/v1/tokens/{id}"]["parameters"][0]
    components_token["schema"]["minimum"] = 100000
    with open(out, "w") as f:
        json.dump(document, f)


main()
