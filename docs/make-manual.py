#!/usr/bin/env python3
"""Writes docs/manual.md: a page for each command, from the help that the program itself prints.

    docs/make-manual.py .build/debug/sluice > docs/manual.md
"""

import json
import subprocess
import sys


def run(program, *arguments):
    # Without a terminal, as scripts and pipelines run it.
    return subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def leaves(command, path=()):
    """All commands that do something, by their words."""
    inner = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    if not inner:
        yield path
    for each in inner:
        yield from leaves(each, (*path, each["commandName"]))


def main():
    program = sys.argv[1]
    tree = json.loads(run(program, "--experimental-dump-help"))["command"]
    print("# The manual of `sluice`\n")
    print("What `--help` says of each command; `make manual` writes this page. [commands.md](commands.md) says what they are for.\n")
    for path in leaves(tree):
        print(f"## sluice {' '.join(path)}\n")
        for line in run(program, *path, "--help").rstrip().split("\n"):
            print(f"    {line}".rstrip())
        print()


main()
