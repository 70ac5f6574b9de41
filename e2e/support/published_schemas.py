"""The schemas that a running server publishes, and holding what goes in and out against them."""

import json
import re
import urllib.parse
import urllib.request

import jsonschema
import referencing
import referencing.jsonschema


class Published:
    """`/references/auth/v1/api.json` of a server, and the schemas that it names, all taken from there."""

    def __init__(self, root_url):
        self.root_url = root_url
        self.reference = self.fetch("/references/auth/v1/api.json")
        self.entries = {entry["name"]: entry for entry in self.reference["entries"]}
        self.registry = referencing.Registry(retrieve=self.retrieve)
        self.used = set()

    def fetch(self, path):
        with urllib.request.urlopen(self.root_url + path) as response:
            return json.load(response)

    def retrieve(self, uri):
        return referencing.Resource.from_contents(self.fetch(urllib.parse.urlparse(uri).path), default_specification=referencing.jsonschema.DRAFT7)

    def check(self, method, side, value):
        """Whether `value` fits the schema of the input or the output of a method; a method without one has nothing to say about it."""
        name = self.entries[method].get(side)
        if name is None or name == "blob":
            return False
        path = f"/schemas/auth/{name}".rstrip("#")
        self.used.add(path)
        validator = jsonschema.Draft7Validator({"$ref": path}, registry=self.registry, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
        assert not errors, f"the {side} of {method} does not fit {path}: {errors}\n{json.dumps(value, indent=2)}"
        return True


def fill(value, known):
    """`value` with `{{name}}` replaced; a string that is nothing else takes the type of what it stands for."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\{\{(\w+)\}\}", value)
        return known[whole[1]] if whole else value
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, known) for key, item in value.items()}
    return value


def holds(actual, wanted):
    """Whether `actual` is `wanted`, where objects may hold more."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(key in actual and holds(actual[key], item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(actual, list) and len(actual) == len(wanted) and all(map(holds, actual, wanted))
    return type(actual) is type(wanted) and actual == wanted
