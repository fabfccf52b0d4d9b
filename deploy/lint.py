#!/usr/bin/env python3
"""Renders the chart and reads the Bicep: the parts of `make lint-deploy` that no ready-made tool does without a cluster.

    deploy/lint.py FOLDER      # the rendered manifests go there

Exit 0 when the chart lints, renders, refuses what it must refuse, and the Bicep files have no syntax error. The grammar does not
know parameter files (`using`), so those are left to the compiler.
"""
import pathlib
import sys

import tree_sitter
import tree_sitter_bicep
import yaml
from helm_python.chart import Chart
from helm_python.errors import HelmError

HERE = pathlib.Path(__file__).parent


def render(folder: pathlib.Path) -> list[str]:
    problems = []
    values = yaml.safe_load((HERE / "helm/sluice/ci/values.yaml").read_text())
    with Chart.load(HERE / "helm/sluice") as chart:
        manifests = chart.render(values=values, name="sluice", namespace="gateway")
        for wrong in ({**values, "replica": 3}, {**values, "image": {"repository": "sluice", "digest": "latest"}}):
            try:
                chart.validate_schema(wrong)
                problems.append(f"the chart takes wrong values: {wrong.keys()}")
            except HelmError:
                pass
    for path, text in manifests.items():
        if text.strip() and not path.endswith(".tpl"):
            (folder / pathlib.Path(path).name).write_text(text)
    return problems


def syntax(path: pathlib.Path) -> list[str]:
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language())).parse(path.read_bytes())
    problems, nodes = [], [tree.root_node]
    while nodes:
        node = nodes.pop()
        if node.type == "ERROR" or node.is_missing:
            problems.append(f"{path}:{node.start_point[0] + 1}:{node.start_point[1] + 1}: syntax error")
        else:
            nodes += node.children
    return problems


found = render(pathlib.Path(sys.argv[1]))
for file in sorted(HERE.glob("bicep/**/*.bicep")):
    found += syntax(file)
for problem in found:
    print(problem, file=sys.stderr)
sys.exit(1 if found else 0)
