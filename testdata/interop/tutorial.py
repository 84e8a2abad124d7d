"""Prints the commands of a page as a script for bash: each block of `sh ROLE` runs in the folder of its role.

Usage: tutorial.py PAGE [NAME=VALUE]...: an assignment replaces that of the page, whose values are examples.
"""

import re
import sys

BLOCK = re.compile(r"^```sh (\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def with_values(text, values):
    """The lines of the block, with these values for its own."""
    for name, value in values.items():
        text = re.sub(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
    return text


def main():
    page, values = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])
    text = open(page, encoding="utf-8").read()
    print("set -euo pipefail")
    for block in BLOCK.finditer(text):
        role, commands = block.groups()
        line = text.count("\n", 0, block.start()) + 2
        print(f"enter {role} {page}:{line}\n{with_values(commands, values)}leave {role}")


main()
