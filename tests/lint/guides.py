# SPDX-License-Identifier: Apache-2.0
"""Guides for people against what they send people to: reasons, commands with their options, units, and configuration of other programs."""

import json
import re
import subprocess

import lint

PAGES = ["README.md", *(name for name in lint.files(".md") if name.startswith("doc/"))]
ENROLL = lint.BUILD / "ece-enroll"
NOT_BUILT = "no ece-enroll in the build directory"


def said(*words):
    return subprocess.run([ENROLL, *words], capture_output=True, text=True, check=True).stdout


def code(name):
    """(line, text) of what is written to be typed or looked for: lines of blocks and what stands in back quotes."""
    inside = False
    for number, line in enumerate(lint.text(name).splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif inside:
            yield number, line
        else:
            yield from ((number, piece) for piece in re.findall(r"`([^`]+)`", line))


def reasons():
    """What looks like a reason and is no key of the spec is a reason; the page of symptoms names a good part of them."""
    if not ENROLL.is_file():
        return NOT_BUILT
    ids = {reason["id"] for reason in json.loads(said("explain", "--json"))}
    keys = {row[0] for row in lint.table("doc/spec.md", "Keys")}
    sections = {key.rpartition(".")[0] for key in keys}
    form = re.compile(r"\b(?:%s)\.[a-z_]+(?:-[a-z]+)*\b" % "|".join(sorted({one.partition(".")[0] for one in ids})))
    complaints, named = [], set()
    for name in PAGES:
        for number, text in code(name):
            if not re.fullmatch(form, text):
                continue
            named.update({text} if name.endswith("/troubleshooting.md") else ())
            if text not in ids | keys | sections:
                complaints.append(f"{name}:{number}: no reason, and no key of the spec: {text}")
    if len(named & ids) < 60:
        complaints.append(f"doc/troubleshooting.md: leads to {len(named & ids)} reasons only")
    return complaints


def commands():
    """Each `ece-enroll COMMAND --option` exists."""
    if not ENROLL.is_file():
        return NOT_BUILT
    known = set(re.findall(r"^  ([a-z]+) ", said("--help"), re.MULTILINE))
    taken = {command: set(re.findall(r"--[a-z][a-z-]*", said(command, "--help"))) for command in known}
    complaints = []
    for name in PAGES:
        for number, text in code(name):
            for command, rest in re.findall(r"(?<![\w/.-])ece-enroll ([a-z]+)([^|;&`#]*)", text):
                if command not in known:
                    complaints.append(f"{name}:{number}: no command 'ece-enroll {command}'")
                    continue
                complaints += [f"{name}:{number}: 'ece-enroll {command}' takes no {option}"
                               for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", rest) if option not in taken[command]]
    return complaints


def units():
    there = {path.name.removesuffix(".in") for path in (lint.TOP / "systemd").iterdir()}
    for name in [*PAGES, "SECURITY.md"]:
        for unit in re.findall(r"\bece-[a-z]+(?:-[a-z]+)*@?\.(?:service|socket|path|target)\b", lint.text(name)):
            if unit not in there:
                yield f"{name}: no unit {unit}"


def filebeat():
    """The input of doc/operations.md is YAML, reads the journal of units that exist, and decodes what our logs are in."""
    try:
        import yaml
    except ImportError:
        return "python3-yaml is not installed"
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", lint.text("doc/operations.md"), re.MULTILINE | re.DOTALL)]
    inputs = [one for block in blocks for one in block.get("filebeat.inputs", ())]
    if not inputs:
        return ["doc/operations.md: no filebeat.inputs"]
    complaints = []
    for one in inputs:
        read = [match.partition("=")[2] for match in one["include_matches.match"] if match.startswith("_SYSTEMD_UNIT=")]
        complaints += [f"doc/operations.md: no unit {unit}" for unit in read if not (lint.TOP / "systemd" / (unit + ".in")).is_file()]
        decode = [processor["decode_json_fields"] for processor in one["processors"] if "decode_json_fields" in processor]
        if one["type"] != "journald" or sorted(read) != ["ece-enrolld.service", "ece-installd.service"]:
            complaints.append("doc/operations.md: the input reads something else than the journal of agent and keeper")
        if [one["fields"] for one in decode] != [["message"]] or decode[0]["target"] != "":
            complaints.append("doc/operations.md: the records are not decoded into the event itself")
    return complaints


lint.main([
    ("reasons that guides name exist", reasons()),
    ("commands and options that guides name exist", commands()),
    ("units that guides name exist", units()),
    ("the input for Filebeat", filebeat()),
])
