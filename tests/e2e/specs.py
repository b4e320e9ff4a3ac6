# SPDX-License-Identifier: Apache-2.0
"""Specs, good and bad, from all over the project, and YAML as an editor reads it (the core schema of YAML 1.2, https://yaml.org/spec/1.2.2/
10.3), with the text of each scalar kept.
"""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]

_C_PIECE = re.compile(r'"((?:\\.|[^"\\\n])*)"|([A-Za-z_]\w*)|(/\*.*?\*/|//[^\n]*|\s+)|(.)', re.DOTALL)
_C_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0"}


def _c_text(literal):
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: bytes.fromhex(m[1][1:].decode()) if m[1][:1] == b"x" and len(m[1]) == 3 else _C_ESCAPES.get(m[1].decode(), m[1]),
                  literal.encode())


def _c_strings(source, macros):
    """Each run of string literals, and of macros that stand for some, as bytes."""
    run = None
    for literal, name, blank, _ in _C_PIECE.findall(source):
        if blank:
            continue
        piece = macros.get(name) if name else None if _ else _c_text(literal)
        if piece is None:
            if run is not None:
                yield run
            run = None
        else:
            run = (run or b"") + piece
    if run is not None:
        yield run


def _c_macros(source, macros):
    for name, body in re.findall(r"^#define (\w+)\s+((?:.*\\\n)*.*)$", source, re.MULTILINE):
        strings = list(_c_strings(body.replace("\\\n", ""), macros))
        if len(strings) == 1:
            macros[name] = strings[0]
    return re.sub(r"^#(?:.*\\\n)*.*$", "", source, flags=re.MULTILINE)


def of_unit_tests():
    """(name, bytes): what the tests of the parser parse."""
    folder = TOP / "tests" / "model"
    common = {}
    _c_macros((folder / "spec-rows.h").read_text(encoding="utf-8"), common)
    for path in sorted(folder.glob("test-spec*.c")):
        macros = dict(common)
        body = _c_macros(path.read_text(encoding="utf-8"), macros)
        for number, text in enumerate(_c_strings(body, macros)):
            if b"version:" in text and b"\n" in text:
                yield "%s, string %d" % (path.name, number), text


def kinds_of_values():
    """The texts that tests/model/test-spec-kinds.c puts at each key."""
    macros = {}
    body = _c_macros((TOP / "tests" / "model" / "test-spec-kinds.c").read_text(encoding="utf-8"), macros)
    return [text.decode() for text in _c_strings(body.partition("values[] = {")[2].partition("};")[0], macros)]


def of_fuzzing():
    for path in sorted((TOP / "tests" / "fuzz" / "corpus" / "spec").iterdir()):
        yield path.name, path.read_bytes()
    for path in sorted((TOP / "tests" / "fuzz" / "corpus" / "merge").iterdir()):
        for number, text in enumerate(path.read_bytes().split(b"\0")):
            yield "merge/%s, %d" % (path.name, number), text


def of_documents():
    """Whole specs: files, blocks of the documents, and what a cloud-config writes."""
    for path in sorted((TOP / "etc").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if not text.startswith("#cloud-config"):
            yield path.name, text.encode()
        for block in re.findall(r"^ +content: \|\n((?: {6}.*\n)+)", text, re.MULTILINE):
            if "version: 1" in block:
                yield path.name, re.sub("^ {6}", "", block, flags=re.MULTILINE).encode()
    for path in [TOP / "README.md", *sorted((TOP / "doc").glob("*.md"))]:
        for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            if "version: 1" in block:
                yield path.name, block.encode()


class Unreadable(Exception):
    """An editor would say that this is no YAML, or none that has a tree."""


_CORE = [(re.compile(form), make) for form, make in (
    (r"|~|null|Null|NULL", lambda text: None),
    (r"true|True|TRUE", lambda text: True),
    (r"false|False|FALSE", lambda text: False),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text[2:], 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text[2:], 16)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?\.(inf|Inf|INF)", lambda text: float(text.replace(".", "").lower())),
    (r"\.(nan|NaN|NAN)", lambda text: float("nan")),
)]


def _scalar(node):
    if not node.style and (node.tag.startswith("tag:yaml.org,2002:") or node.tag == "!"):
        for form, make in _CORE:
            if form.fullmatch(node.value):
                return make(node.value)
    return node.value


def at(value, path):
    for step in path:
        value = value[step]
    return value


def load(text, yaml):
    """(value, {path: (value, text) of each scalar}); yaml is the module of that name, which need not be installed."""
    texts = {}

    def make(node, path):
        if len(path) > 20:
            raise Unreadable("deeper than anybody writes")
        if isinstance(node, yaml.MappingNode):
            if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
                raise Unreadable("a key that is no word")
            return {key.value: make(value, path + (key.value,)) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [make(value, path + (number,)) for number, value in enumerate(node.value)]
        texts[path] = _scalar(node), node.value
        return texts[path][0]

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Unreadable(str(error)) from None
    return (None if node is None else make(node, ())), texts
