"""Checks config/sluice.schema.json with an independent validator.

The examples must be valid, as they are and with everything that they leave out; what PowerProxy's example is imported to as
well; and each of a list of mistakes must be refused.
"""

import argparse
import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

MISTAKES = {
    "an unknown key": lambda c: c.update(lisen="0.0.0.0:1"),
    "no clients": lambda c: c.pop("clients"),
    "an empty list": lambda c: c.update(clients=[]),
    "a client without a name": lambda c: c["clients"][0].pop("name"),
    "a mapping in place of a list": lambda c: c.update(endpoints={}),
    "a count beyond its range": lambda c: c["clients"][0].update(priority=10),
    "a count that is none": lambda c: c["clients"][0].update(limits={"tokens_per_minute": "20 k"}),
    "a negative count": lambda c: c["clients"][0].update(limits={"tokens_per_minute": -1}),
    "an unknown limit": lambda c: c["clients"][0].update(limits={"rpm": 1}),
    "limits of a model that are none": lambda c: c["clients"][0].update(model_limits={"gpt-4o": 20}),
    "a duration without a unit": lambda c: c["server"].update(heartbeat=15),
    "a duration with a strange unit": lambda c: c["server"].update(heartbeat="1d"),
    "bytes beyond their range": lambda c: c["server"].update(max_header_bytes=2),
    "a word that is none of the choices": lambda c: c["log"].update(level="loud"),
    "a bool that is none": lambda c: c["log"].update(access="yes"),
    "a fraction above one": lambda c: c["models"][0]["deployments"][0].update(non_streaming_fraction=1.5),
    "an id that is none": lambda c: c.update(front_door={"ids": ["sluice"]}),
    "a sink of no kind": lambda c: c.update(usage={"sinks": [{"type": "file"}]}),
    "a key of another kind of sink": lambda c: c.update(usage={"sinks": [{"type": "console", "directory": "x"}]}),
    "a sink without what its kind needs": lambda c: c.update(usage={"sinks": [{"type": "csv"}]}),
}


def with_everything(text):
    """The example with the keys it leaves out: "#key" and "#  key", where "# text" is a comment."""
    return re.sub(r"^( *)#([^ \n]|  )", r"\1\2", text, flags=re.MULTILINE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--config", required=True, type=pathlib.Path)
    arguments = parser.parse_args()

    schema = json.loads((arguments.config / "sluice.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    passed = failed = 0

    def check(name, configuration, is_valid):
        nonlocal passed, failed
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(configuration)]
        if bool(errors) != is_valid:
            passed += 1
        else:
            failed += 1
            print(f"FAIL {name}: {errors[:3] or 'accepted'}")

    text = (arguments.config / "sluice.example.yaml").read_text()
    example = yaml.safe_load(text)
    check("the example", example, True)
    everything = yaml.safe_load(with_everything(text))
    check("the example with everything", everything, True)
    if not everything.keys() > example.keys():
        sys.exit("the example leaves nothing out: the test tests nothing")

    powerproxy = arguments.config / "powerproxy.example.yaml"
    imported = subprocess.run(
        [arguments.sluice, "config", "import", powerproxy], check=True, capture_output=True, text=True
    )
    check("PowerProxy's example, imported", yaml.safe_load(imported.stdout), True)

    for name, make in MISTAKES.items():
        broken = copy.deepcopy(example)
        make(broken)
        check(name, broken, False)

    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
