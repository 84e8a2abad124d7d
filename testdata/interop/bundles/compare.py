"""Compares `verifier check bundle` with sigstore-python and @sigstore/verify.

Usage: compare.py VERIFIER CASES..., each a file with a JSON object a line: `id`, `argv` (the arguments of the sigstore-conformance
client, for the folder of the file) and `expect` (accept or reject). Exit status: 0 if all agree, but for the limits below, which
docs/interop.md explains; 1 otherwise.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent

# What a reader says when it refuses a bundle that is good, and the cases of which that may be said.
LIMITS = [
    ("sigstore-python", "reject: VerificationError: Integrated time only supported for dsse/hashedrekord", ""),
    ("@sigstore/verify", "reject: digest mismatch", "rekor2-dsse-"),
]


def verifier(program):
    """The answers of the verifier, one process a case."""
    def answer(words, folder):
        command = [program, "check", "bundle", "--json", *words[1:]]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={})
        said = json.loads(ended.stdout or "{}").get("check")
        return {0: "accept", 1: f"reject: {said}"}.get(ended.returncode, f"error: {ended.stderr}")
    return lambda argvs, folder: [answer(words, folder) for words in argvs]


def reader(*command):
    """The answers of another reader, in one process."""
    def answers(argvs, folder):
        asked = json.dumps(argvs)
        ended = subprocess.run(command, input=asked, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(ended.stdout)
    return answers


def limited(name, case, answer):
    """Whether the answer is a limit of the reader and no disagreement."""
    known = any(name == by and answer.startswith(says) and about in case["id"] for by, says, about in LIMITS)
    return answer.startswith("unsupported: ") or known


def disagreements(name, cases, ours, theirs):
    agreed = limits = 0
    for case, we, they in zip(cases, ours, theirs, strict=True):
        if limited(name, case, they):
            limits += 1
        elif we.split(":")[0] == they.split(":")[0]:
            agreed += 1
        else:
            yield f"{case['id']}: the verifier says {we!r}, {name} {they!r}"
    print(f"{name} agrees on {agreed} of {len(cases)} bundles, and cannot judge {limits}")


def main(program, *files):
    readers = {"sigstore-python": reader(sys.executable, HERE / "sigstore_python.py")}
    if (HERE / "node_modules").is_dir():
        readers["@sigstore/verify"] = reader("node", HERE / "sigstore_verify.mjs")
    wrong = []
    for file in map(pathlib.Path, files):
        cases = [json.loads(line) for line in file.read_text().splitlines()]
        argvs = [case["argv"] for case in cases]
        ours = verifier(program)(argvs, file.parent)
        expected = ((case, we) for case, we in zip(cases, ours) if we.split(":")[0] != case["expect"])
        wrong += [f"{case['id']}: the verifier says {we!r}, expected {case['expect']}" for case, we in expected]
        for name, answers in readers.items():
            wrong += disagreements(name, cases, ours, answers(argvs, file.parent))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
