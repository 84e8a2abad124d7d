#!/usr/bin/env python3
"""Writes the image of an OCI layout again, in format v1, and checks that every byte is the same.

Usage: format_v1.py LAYOUT
       format_v1.py --vectors FILE

The second form prints name, image digest, image ID and diff ID of each description in a file such as vectors.json, or that it is
refused. It is independent of the builder: it implements docs/format-v1.md with the standard library only, and reads from the layout only
the properties of an image that the page lists. Exit status: 0 the same, 1 not the same, 2 not an image.
"""

import hashlib
import io
import json
import pathlib
import struct
import sys
import tarfile
import unicodedata
import zlib

MODES = {"0": 0o644, "2": 0o777, "5": 0o755}


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def canonical(value):
    """Canonical JSON (RFC 8785) of integers and text: keys are sorted by their UTF-16 code units."""
    return json.dumps(in_order(value), separators=(",", ":"), ensure_ascii=False).encode()


def in_order(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: in_order(value[key]) for key in keys}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def octal(value, size):
    return b"%0*o\0" % (size - 1, value)


def cut(path):
    """The path as prefix and name, or None if it does not fit."""
    if len(path) <= 100:
        return b"", path
    slash = path.rfind(b"/", 0, min(len(path) - 1, 156))
    if slash < 1 or len(path) - slash - 1 > 100:
        return None
    return path[:slash], path[slash + 1:]


def header(path, flag, mode, size=0, target=b"", owner=(0, 0)):
    prefix, name = cut(path) or (b"", path[:100])
    block = struct.pack(
        "100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x",
        name, octal(mode, 8), octal(owner[0], 8), octal(owner[1], 8), octal(size, 12), octal(0, 12), b" " * 8, flag.encode(),
        target[:100], b"ustar\00000", b"", b"", octal(0, 8), octal(0, 8), prefix)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def record(key, value):
    length = len(key) + len(value) + 3
    while length != len(key) + len(value) + 3 + len(str(length)):
        length = len(key) + len(value) + 3 + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def padded(content):
    return content + bytes(-len(content) % 512)


def archive(entries, attributes={}):
    """The tar archive of {path: (flag, content, executable, target)}. Format v2 has attributes: {path: (mode, owner)}."""
    out, extended = io.BytesIO(), 0
    for path, (flag, content, executable, target) in sorted(entries.items()):
        mode, owner = attributes.get(path, (None, (0, 0)))
        mode = (0o755 if executable else MODES[flag]) if mode is None else mode
        path += b"/" if flag == "5" else b""
        records = record(b"linkpath", target) if len(target) > 100 else b""
        records += record(b"path", path) if cut(path) is None else b""
        if records:
            out.write(header(b"PaxHeaders/%d" % extended, "x", 0o644, len(records)) + padded(records))
            extended += 1
        out.write(header(path, flag, mode, len(content), target, owner) + padded(content))
    return out.getvalue() + bytes(1024)


def stored_gzip(content):
    out = io.BytesIO()
    out.write(bytes.fromhex("1f8b08000000000000ff"))
    for start in range(0, len(content), 65535):
        piece = content[start:start + 65535]
        last = start + len(piece) == len(content)
        out.write(struct.pack("<BHH", last, len(piece), len(piece) ^ 0xFFFF) + piece)
    out.write(struct.pack("<II", zlib.crc32(content), len(content) % 2**32))
    return out.getvalue()


def refuse(reason, path):
    raise ValueError(f"{reason}: {path!r}")


def check_text(raw):
    if len(raw) > 4095 or any(unicodedata.category(char) == "Cc" for char in raw.decode()):
        refuse("too long, or a control character", raw)


def check_link(path, target):
    depth = 0 if target.startswith(b"/") else path.count(b"/")
    for part in target.split(b"/"):
        depth += {b"": 0, b".": 0, b"..": -1}.get(part, 1)
        if not target or depth < 0:
            refuse("a target above the root, or none", path)


def check(entries):
    """Refuses what no image is made of."""
    for path, (flag, _, _, target) in entries.items():
        check_text(path)
        for part in path.split(b"/"):
            if part in (b"", b".", b"..") or len(part) > 255:
                refuse("no plain path", path)
        if any(entries[parent][0] != "5" for parent in parents(path)):
            refuse("below a file or a link", path)
        if flag == "2":
            check_text(target)
            check_link(path, target)
    if len({path.decode().lower() for path in entries}) < len(entries):
        refuse("twice but for upper and lower case", sorted(entries))


def parents(path):
    """The directories above, from the top."""
    return [path[:at] for at, byte in enumerate(path) if byte == ord("/")]


def entries_of(layer):
    """What a layer is made of, and every directory above."""
    entries = {}
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:gz", encoding="utf-8") as tar:
        for member in tar:
            path = member.name.rstrip("/").encode()
            for parent in parents(path):
                entries.setdefault(parent, ("5", b"", False, b""))
            content = tar.extractfile(member).read() if member.isreg() else b""
            flag = {tarfile.REGTYPE: "0", tarfile.SYMTYPE: "2", tarfile.DIRTYPE: "5"}[member.type]
            entries[path] = (flag, content, member.isreg() and bool(member.mode & 0o100), member.linkname.encode())
    check(entries)
    return entries


def image(entries, architecture, start, attributes={}, base=([], [])):
    """All files of the layout, by path; and the digest of the manifest. Format v2 has a base: layers and diff IDs."""
    files = {}

    def add(media_type, content):
        files["blobs/sha256/" + digest(content).removeprefix("sha256:")] = content
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": digest(content), "size": len(content)}

    tar = archive(entries, attributes)
    layer = add("layer.v1.tar+gzip", stored_gzip(tar))
    start = {name: value for name, value in start.items() if value}
    if "Env" in start:
        start["Env"] = sorted(set(start["Env"]))
    config = {"architecture": architecture, "config": start, "created": "1970-01-01T00:00:00Z", "os": "linux",
              "rootfs": {"type": "layers", "diff_ids": base[1] + [digest(tar)]}}
    config = add("config.v1+json", canonical(config))
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": base[0] + [layer]}
    manifest = add("manifest.v1+json", canonical(manifest))
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}
    files["index.json"] = canonical(index)
    files["oci-layout"] = canonical({"imageLayoutVersion": "1.0.0"})
    return files, manifest["digest"]


def read_image(layout):
    blob = lambda descriptor: (layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")).read_bytes()
    [top] = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads(blob(top))
    config = json.loads(blob(manifest["config"]))
    [layer] = manifest["layers"]
    return entries_of(blob(layer)), config["architecture"], config["config"]


def described(vector):
    """The entries of a description with every directory above, and by path what it says of those that it names."""
    entries, named = {}, {}
    for entry in vector["entries"]:
        for number in range(entry.get("count", 1)):
            path = entry["path"].replace("{n}", str(number)).encode()
            content = entry.get("content", "").encode()
            if "size" in entry:
                content = bytes(n * 31 % 251 for n in range(251)) * (entry["size"] // 251 + 1)
                content = content[:entry["size"]]
            flag = {"file": "0", "link": "2", "directory": "5"}[entry["type"]]
            if path in named:
                refuse("twice", path)
            named[path] = entry
            entries[path] = (flag, content, entry.get("executable", False), entry.get("target", "").encode())
    for path in named:
        for parent in parents(path):
            entries.setdefault(parent, ("5", b"", False, b""))
    check(entries)
    return entries, named


def digests(vector):
    """Image digest, image ID and diff ID."""
    files, name = image(described(vector)[0], vector["architecture"], vector["execution"])
    return identities(files, name)


def identities(files, name):
    blob = lambda digest: json.loads(files["blobs/sha256/" + digest.removeprefix("sha256:")])
    config = blob(name)["config"]["digest"]
    return f"{name} {config} {blob(config)['rootfs']['diff_ids'][-1]}"


def print_vectors(path, digests=digests):
    for vector in json.loads(pathlib.Path(path).read_text()):
        try:
            print(vector["name"], digests(vector))
        except ValueError:
            print(vector["name"], "refused")
    return 0


def main(read_image=read_image, print_vectors=print_vectors, image=image):
    if sys.argv[1] == "--vectors":
        return print_vectors(sys.argv[2])
    layout = pathlib.Path(sys.argv[1])
    try:
        description = read_image(layout)
    except (OSError, ValueError, KeyError, tarfile.TarError, EOFError, zlib.error) as error:
        print(f"error: reading {layout}: {error!r}", file=sys.stderr)
        return 2
    files, name = image(*description)
    same = True
    for path, content in files.items():
        if not (layout / path).is_file() or (layout / path).read_bytes() != content:
            print(f"{layout / path} is not as the format has it", file=sys.stderr)
            same = False
    print(name)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
