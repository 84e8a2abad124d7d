#!/usr/bin/env python3
"""Writes the image of an OCI layout again, in format v2, and checks that every byte is the same.

Usage: format_v2.py LAYOUT
       format_v2.py --vectors FILE

It is independent of the builder: it implements docs/format-v2.md with the standard library only, on top of the implementation of
format v1. The layers of a base image are read from the layout. Exit status: 0 the same, 1 not the same, 2 not an image.
"""

import io
import json
import pathlib
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "format-v1"))

import format_v1 as v1

MODE = {"0": 0o777, "5": 0o1777, "2": 0}
LIMIT = 2097151
NO_ATTRIBUTES = (None, (0, 0))


def check(entries, attributes):
    for path, (mode, owner) in attributes.items():
        flag = entries[path][0]
        if mode is not None and (flag == "2" or mode & ~MODE[flag]):
            v1.refuse("not a mode", path)
        if not all(0 <= number <= LIMIT for number in owner):
            v1.refuse("not the number of a user or group", path)


def with_base(base, own):
    """The configuration of an image from that of its base and its own."""
    base, own = ({key: value for key, value in config.items() if value} for config in (base, own))
    config = {key: base[key] for key in ("ExposedPorts", "StopSignal", "Volumes") if key in base}
    variable = lambda text: text.split("=", 1)[0]
    set_here = {variable(text) for text in own.get("Env", [])}
    inherited = {variable(text): text for text in base.get("Env", [])}
    inherited = [text for name, text in inherited.items() if name not in set_here]
    config["Env"] = inherited + own.get("Env", [])
    for key in ("User", "WorkingDir"):
        config[key] = own.get(key) or base.get(key)
    config["Labels"] = own.get("Labels")
    config["Entrypoint"] = own.get("Entrypoint") or base.get("Entrypoint")
    config["Cmd"] = own.get("Cmd") or (None if "Entrypoint" in own else base.get("Cmd"))
    return config


def described(vector):
    """Entries, architecture, configuration, attributes and base of a description."""
    entries, named = v1.described(vector)
    attributes = {}
    for path, entry in named.items():
        mode = int(entry["mode"], 8) if "mode" in entry else None
        attributes[path] = (mode, (entry.get("uid", 0), entry.get("gid", 0)))
    check(entries, attributes)
    start, base = vector["execution"], ([], [])
    if "base" in vector:
        start = with_base(vector["base"]["execution"], start)
        base = (vector["base"]["layers"], vector["base"]["diff_ids"])
    return entries, vector["architecture"], start, attributes, base


def digests(vector):
    return v1.identities(*v1.image(*described(vector)))


def attributes_of(layer):
    attributes = {}
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:gz", encoding="utf-8") as tar:
        for member in tar:
            flag = {tarfile.REGTYPE: "0", tarfile.SYMTYPE: "2", tarfile.DIRTYPE: "5"}[member.type]
            usual = (0o755, 0o644) if flag == "0" else (v1.MODES[flag],)
            mode = None if member.mode in usual else member.mode
            attributes[member.name.rstrip("/").encode()] = (mode, (member.uid, member.gid))
    return attributes


def read_image(layout):
    blob = lambda descriptor: (layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")).read_bytes()
    [top] = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads(blob(top))
    config = json.loads(blob(manifest["config"]))
    *base, own = manifest["layers"]
    diff_ids = config["rootfs"]["diff_ids"][:-1]
    own = blob(own)
    entries, attributes = v1.entries_of(own), attributes_of(own)
    check(entries, attributes)
    return entries, config["architecture"], config["config"], attributes, (base, diff_ids)


if __name__ == "__main__":
    sys.exit(v1.main(read_image, lambda path: v1.print_vectors(path, digests)))
