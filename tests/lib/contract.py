# SPDX-License-Identifier: Apache-2.0
"""
Reads schema/openapi.yaml for lint and for system tests. YAML needs PyYAML (Debian's python3-yaml).

contract.py FILE prints it as JSON, which every Python reads.
"""
import json
import sys

def load_yaml(stream):
    """ValueError for a key that is there twice, of which YAML would take the last without a word."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError("line %d: %s is there twice" % (node.start_mark.line + 1, key))
        return loader.construct_mapping(node, deep=True)
    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return yaml.load(stream, Loader)


METHODS = ("get", "put", "post", "delete", "patch")


class Contract:
    def __init__(self, path):
        with open(path) as f:
            if path.endswith(".json"):
                self.document = json.load(f)
                return
            self.document = load_yaml(f)

    def resolve(self, node):
        """Follows "$ref"; KeyError names one that leads nowhere."""
        while isinstance(node, dict) and "$ref" in node:
            reference, node = node["$ref"], self.document
            for part in reference.removeprefix("#/").split("/"):
                if part not in node:
                    raise KeyError(reference)
                node = node[part]
        return node

    def operations(self):
        """-> {(method, path): operation}, in the file's order."""
        return {(method.upper(), path): item[method] for path, item in self.document["paths"].items()
                for method in METHODS if method in item}

    def parameters(self, method, path, place):
        """-> [parameter] of the path item and the operation that are in that place."""
        item = self.document["paths"][path]
        listed = item.get("parameters", []) + item[method.lower()].get("parameters", [])
        return [p for p in map(self.resolve, listed) if p["in"] == place]

    def responses(self, operation):
        """-> {status: response}"""
        return {status: self.resolve(response) for status, response in operation["responses"].items()}


if __name__ == "__main__":
    json.dump(Contract(sys.argv[1]).document, sys.stdout)
