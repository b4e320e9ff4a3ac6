# SPDX-License-Identifier: Apache-2.0
"""Every code that the source gives an Observation has a row of its own in the classification table, and is not left to
the row for whatever is unknown."""

import re

import lint

# Where codes are made: files, and what stands before a code there. Most say observe(ORIGIN_..., number, "code", ...).
MADE = [
    ("CREDENTIAL", "agent/coordinator/credential", r'refuse\(refusal, "([a-z-]+)"|\*ret_code = "([a-z-]+)"'),
    ("TLS", "agent/http/http-failure", r'\{ CURLE_\w+, "([a-z-]+)"'),
    ("TLS", "agent/http/trust-verdict", r'\{ X509_V_ERR_\w+, "([a-z-]+)"|return "([a-z-]+)"'),
    ("TLS", "agent/http/trust.c", r'refuse\(check, [^;"]*"([a-z-]+)"'),
    ("REPLY", "agent/coordinator/reply.c", r'return "([a-z-]+)"|ORIGIN_REPLY, status, "([a-z-]+)"'),
    ("INSTALLER", "agent/installer/evidence.c", r'", (?:NULL|"[^"]*"), "([a-z-]+)", \d \}|\b(?:", |FAILED, )"([a-z-]+)", \d \}'
                                                r'|(?:code = |return |\? |: )"([a-z]+-[a-z-]+|killed|terminated|unexplained)"'),
    ("HOST", "agent/host/gates.c", r'\{ "([a-z0-9-]+)", (?:\w+, )?check_'),
    ("KEEPER", "agent/installer/keeper-client.c", r'\? "([a-z-]+)"|: "([a-z-]+)"'),
]


def rows():
    return set(re.findall(r'\{ ORIGIN_(\w+), \S+, "([^"]+)",', lint.text("agent/engine/reason-matches.c")))


def unknown():
    known = rows()
    for name in lint.files(".c"):
        if not name.startswith("agent/") or name.startswith("agent/engine/"):
            continue
        text = lint.text(name)
        made = [(origin, code, at) for origin, where, pattern in MADE if name.startswith(where)
                for found in re.finditer(pattern, text) for at in [found.start()] for code in found.groups() if code]
        made += [(found.group(1), found.group(2), found.start())
                 for found in re.finditer(r'observe\(ORIGIN_(\w+), [^,"]+,\s*"([^"]+)"', text)]
        made += [(found.group(which), found.group(3), found.start()) for which in (1, 2)
                 for found in re.finditer(r'observe\(\w+ \? ORIGIN_(\w+) : ORIGIN_(\w+), [^,"]+,\s*"([^"]+)"', text)]
        for origin, code, at in made:
            if (origin, code) not in known:
                yield f"{name}:{lint.line_of(text, at)}: no row for {origin.lower()} {code}"


def silent():
    """A pattern that finds nothing guards nothing."""
    for origin, where, pattern in MADE:
        if not any(re.search(pattern, lint.text(name)) for name in lint.files(".c") if name.startswith(where)):
            yield f"{where}: no code of {origin.lower()} found"


def listed():
    """The essay of evidence.h lists the installer's codes."""
    essay = lint.text("agent/installer/evidence.h")
    return [f"agent/installer/evidence.h: {code} is not listed" for origin, code in sorted(rows())
            if origin == "INSTALLER" and not re.search(rf"(?<![\w-]){code}(?![\w-])", essay)]


def stand_in():
    """The stand-in for ECE's script and the table of its messages were written by two: each refusal of the one, with its
    status, is known to the other."""
    table = re.findall(r'^\s+\{ "([^"]+)", (?:NULL|"([^"]+)"), "[a-z-]+", (\d) \},', lint.text("agent/installer/evidence.c"), re.MULTILINE)
    script = lint.text("tests/installer/elastic-cloud-enterprise.sh")
    refusals = re.findall(r'complain (\d) "([^"$]+)([^"]*)"', script)
    for status, beginning, rest in refusals:
        if not any(beginning.startswith(text[:len(beginning)]) and holds in beginning + rest and number == status
                   for text, holds, number in table):
            yield f"agent/installer/evidence.c: does not know {beginning!r} with status {status}"
    if len(refusals) < 10:
        yield "tests/installer/elastic-cloud-enterprise.sh: hardly any refusals found"


lint.main([
    ("codes of observations have rows", unknown()),
    ("codes are found where they are made", silent()),
    ("the stand-in's refusals are known", stand_in()),
    ("evidence.h lists the installer's codes", listed()),
])
