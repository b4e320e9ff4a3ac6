#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of the spec against the parser: both judge the same specs, those of the tests, the fuzzers, the examples and the
documents, each key with each kind of value, and good values with each of their bytes changed.

They have to agree, but for what is listed below with an example: what a schema can't say, and where it wants quotes.
"""

import copy
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import specs  # noqa: E402
import tap  # noqa: E402

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None

BUILD = pathlib.Path(os.environ.get("ECE_BUILD_DIR") or specs.TOP / "build" / "default")
ENROLL = BUILD / "ece-enroll"

HEAD = "version: 1\ncoordinators: [https://192.0.2.10]\n"
CREDENTIAL = "credential: {api_key: {from: credential, name: k}}\n"
HOST = "host: {roles: [allocator]}\n"
INSTALLER = "installer: {script: /opt/ece.sh}\n"
BASE = HEAD + CREDENTIAL + HOST + INSTALLER


def host(member):
    return HEAD + CREDENTIAL + "host: {roles: [allocator], %s}\n" % member + INSTALLER


def installer(member):
    return HEAD + CREDENTIAL + HOST + "installer: {script: /opt/ece.sh, %s}\n" % member


def is_odd(text):
    """Somewhere is a number, or a boolean, that is not written as everybody writes it."""
    _, texts = specs.load(text, yaml)
    return any(isinstance(value, (bool, int, float)) and not re.fullmatch("0|[1-9][0-9]*|true|false", written)
               for value, written in texts.values())


def has_ipv6(text):
    return re.search(rb"['\"\[][0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*[]'\"/]", text) is not None


def anywhere(text):
    return True


# What the parser refuses and a schema lets through: the parser's sentence, in which specs only, and one that shows it.
BEYOND = [
    # A schema compares no two values.
    ("must (leave|not be longer|be shorter)", anywhere, BASE + "verify: {timeout: 10s, stable_for: 20s}\n"),
    ("is greater than xmx", anywhere, host("memory_settings: {runner: {xms: 2G, xmx: 1G}}")),
    ("a value must follow its option", anywhere, installer("extra_args: [--a, b, c]")),
    # The same thing in two spellings.
    ("^coordinators names .* twice$", anywhere, BASE.replace("10]", "10, https://192.0.2.10:12443]")),
    ("^host.external_hostnames names .* twice$", anywhere, host("external_hostnames: [a, A]")),
    # Durations have units, and a pattern does not count.
    ("must be between .* and .*, not [0-9]+[a-z]+$", anywhere, BASE + "token: {validity: 48h}\n"),
    # To a schema 1 and 0x1 and 1.0 are one.
    ("must be a whole decimal number|version '.*' is not known", is_odd, BASE.replace("version: 1", "version: 1.0")),
    ("must be true or false, in lower case", is_odd, BASE + "forget_credential: True\n"),
    ("timeout_factor (contains|has|is)", is_odd, installer("timeout_factor: 1e1")),
    # A number where a text is meant that is none with a sign.
    ("(availability_zone|runner_id|the tag|an argument) contains [+]", is_odd, host("availability_zone: +1")),
    ("is not the name of a systemd credential", is_odd, BASE.replace("name: k", "name: +1")),
    # Of IPv6 only the characters are looked at.
    ("must be auto or an IPv4 or IPv6 address|host_ip is ", has_ipv6, host("host_ip: '::1'")),
    ("brackets is no IPv6 address|the host is ", has_ipv6, BASE.replace("https://192.0.2.10", "'https://[::ffff:192.0.2.1]'")),
    ("no_proxy: neither", has_ipv6, BASE + "proxy: http://p:1\nno_proxy: [':::']\n"),
    # The length of a whole that is put together.
    ("longer than [0-9]+ bytes in all", anywhere, host("allocator_tags: {%s}" % ", ".join("%s%d: x" % ("a" * 90, n) for n in range(60)))),
    # YAML itself.
    ("duplicate key", anywhere, BASE + "on_member: verify\non_member: verify\n"),
    ("(anchors|aliases|tags) .* are not allowed|%TAG is not allowed", anywhere, BASE + "on_member: &a verify\n"),
    ("a Unicode line separator", anywhere, BASE + "# \u2028\n"),
]

# Good values of keys whose texts have a form, some as long as they may be; each byte of them is changed.
VALUES = {
    "coordinators": ["https://a.example:12443", "HTTPS://192.0.2.9/", "https://h0:65535"],
    "trust.ca_file": ["/a/b.pem", "/" + "p" * 255, ("/" + "p" * 254) * 16 + "/" + "p" * 14],
    "trust.pins": ["sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
    "proxy": ["http://p.example:3128", "http://192.0.2.1:1/"],
    "no_proxy": [".example.com", "192.0.2.0/24", "*"],
    "host.runner_id": ["a.b", "auto", "..", "r" * 128],
    "host.host_ip": ["192.0.2.77", "auto"],
    "host.availability_zone": ["z-1_b.", "z" * 128],
    "host.external_hostnames": ["h-1.example.com", "a.0x1.b", "l" * 63 + ".x", ("l" * 63 + ".") * 3 + "l" * 61],
    "installer.sha256": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    "installer.version": ["4.0.3", "4.0.3-b.1", "auto", "123456789.0.0", "4.0.3-" + "b" * 57],
    "installer.user": ["elastic", "roo", "r_9", "u" * 32],
    "installer.storage_path": ["/mnt/data/elastic", "/.a/..b"],
    "installer.engine_socket": ["/run/" + "s" * 102],
    "installer.docker_registry": ["r.example.com:5000", "192.0.2.1:443", ("l" * 63 + ".") * 3 + "l" * 61 + ":65535"],
    "installer.ece_docker_repository": ["a/b-c.d", "0", "a" * 200],
    "installer.engine": ["docker"],
    "installer.extra_args": ["--debug", "--" + "d" * 62],
    "installer.timeout_factor": ["1.5"],
    "token.validity": ["90m"],
    "retry.splay": ["0", "10us"],
    "report.webhook.url": ["https://w.example/a?b=c@d", "https://w", "https://w/" + "a" * 2038],
    "credential.basic.user": ["admin", "u" * 256],
}
LISTS = {"coordinators", "trust.pins", "no_proxy", "host.external_hostnames", "installer.extra_args"}
BESIDE = {"no_proxy": "proxy: http://p:1\n", "host": "roles: [allocator], ", "installer": "script: /opt/ece.sh, "}


def keys():
    text = (specs.TOP / "agent" / "model" / "spec-schema.c").read_text(encoding="utf-8")
    return re.findall(r'\[KEY_\w+\] = \{ "([\w.]+)"', text)


def with_key(key, value):
    """A spec that has this value at the key, and otherwise what every spec needs."""
    section, *rest = key.split(".")
    parts = {"version": "version: 1\n", "coordinators": "coordinators: [https://192.0.2.10]\n", "credential": CREDENTIAL, "host": HOST,
             "installer": INSTALLER}
    parts.pop(section, None)
    if key == "credential.basic.user":
        line = "credential: {basic: {password: {from: file, path: /p}, user: %s}}\n" % value
    else:
        beside = BESIDE.get(section, "") if rest and key not in ("host.roles", "installer.script") else ""
        line = section + ": " + ("{" + beside if rest else "") + ": {".join(rest) + (": " if rest else "") + value + "}" * len(rest) + "\n"
    return "".join(parts.values()) + BESIDE.get(key, "") + line


def changed(text):
    """Each byte replaced by each printable one and some that are none, doubled, and left out; and longer ones."""
    some = (0, len(text) // 2, len(text) - 1, len(text))
    for at in range(len(text) + 1) if len(text) < 80 else some:
        if at in some:
            for code in (*range(32, 127), 9, 10, 127, 233):
                yield text[:at] + chr(code) + text[at + 1:]
        yield text[:at] + text[at:at + 1] + text[at:]
        yield text[:at] + text[at + 1:]
    for times in (2, 63, 64, 128, 129, 255, 256, 4096):
        yield text + text[-1:] * times


@functools.cache
def python_form(pattern):
    """To Python a $ also stands before a newline at the end; to ECMA-262, which JSON Schema speaks, it does not."""
    return re.compile(re.sub(r"\$(?=[)|]|$)", r"\\Z", pattern))


class Judges:
    """The parser and the schema, asked about many specs at once."""

    def __init__(self):
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        subprocess.run(["make", "-s", "-C", BUILD, "tests/e2e/judge-specs"], env=environment, check=True, stdout=subprocess.DEVNULL)
        schema = json.loads(subprocess.run([ENROLL, "schema"], capture_output=True, check=True).stdout)
        anchored = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": self.pattern})
        self.schema = anchored(schema)

    @staticmethod
    def pattern(validator, pattern, instance, schema):
        if validator.is_type(instance, "string") and not python_form(pattern).search(instance):
            yield jsonschema.ValidationError("%r has not the form %s" % (instance[:80], pattern))

    @staticmethod
    def parser(texts):
        """For each spec the list of the parser's errors."""
        said = subprocess.run([BUILD / "tests" / "e2e" / "judge-specs"], input=b"".join(b"%d\n%s" % (len(text), text) for text in texts),
                              capture_output=True, check=True).stdout.decode()
        return [[line.partition(": ")[2] for line in part.splitlines()] for part in re.split(r"^end\n", said, flags=re.MULTILINE)[:-1]]

    def accepts(self, text):
        """True, False, or "quoted": only when quotes are put where YAML sees a number or a boolean."""
        try:
            value, texts = specs.load(text, yaml)
        except specs.Unreadable:
            return False
        if self.schema.is_valid(value):
            return True
        if not any(isinstance(one, (bool, int, float)) for one, _ in texts.values()):
            return False
        return "quoted" if self.schema.is_valid(self.quote(value, texts, self.schema.iter_errors(value))) else False

    @staticmethod
    def quote(value, texts, errors):
        value, waiting = copy.deepcopy(value), list(errors)
        while waiting:
            error = waiting.pop()
            waiting += error.context
            path = tuple(error.absolute_path)
            if path and path in texts and isinstance(error.instance, (bool, int, float)):
                specs.at(value, path[:-1])[path[-1]] = texts[path][1]
        return value


@unittest.skipUnless(jsonschema, "needs python3-jsonschema and python3-yaml")
class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.judges = Judges()

    @staticmethod
    def beyond(problem, text):
        return any(re.search(rule, problem) and where(text) for rule, where, _ in BEYOND)

    def agree(self, named, accepts=None):
        """Both say the same of each (name, bytes). How many are good."""
        named, good, wrong = list(named), 0, []
        accepts = accepts or (lambda _, text: self.judges.accepts(text))
        for (name, text), problems in zip(named, self.judges.parser([text for _, text in named]), strict=True):
            accepted = accepts(name, text)
            if not problems and not accepted:
                wrong.append("%s: only the schema refuses %r" % (name, text[-300:]))
            elif problems and accepted and not all(self.beyond(one, text) for one in problems):
                wrong.append("%s: only the parser refuses %r: %s" % (name, text[-300:], problems))
            good += not problems
        self.assertFalse(wrong, "\n".join([""] + wrong[:20]) + "\n%d in all" % len(wrong))
        return good

    def test_it_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(self.judges.schema.schema)
        self.assertEqual(self.judges.schema.schema["$schema"], "http://json-schema.org/draft-07/schema#")

    def test_every_key_is_in_it_with_its_meaning(self):
        for key in keys():
            place = self.judges.schema.schema
            for step in key.split("."):
                place = place["properties"][step]
            self.assertTrue(place["description"], key)

    def test_what_lies_beyond_it(self):
        """Each exception is one: the parser refuses its example for this very reason, and the schema does not."""
        for rule, where, example in BEYOND:
            with self.subTest(rule):
                problems, = self.judges.parser([example.encode()])
                self.assertTrue(problems and all(re.search(rule, one) for one in problems), problems)
                self.assertTrue(where(example.encode()))
                self.assertTrue(self.judges.accepts(example.encode()))

    def test_the_same_thing_twice(self):
        for key, one in (("coordinators", "https://a"), ("host.roles", "proxy"), ("host.external_hostnames", "a"),
                         ("trust.pins", VALUES["trust.pins"][0])):
            self.assertFalse(self.judges.accepts(with_key(key, "[%s, %s]" % (one, one)).encode()), key)

    def test_keys_that_need_each_other(self):
        """Where one key needs another, both judges know it; no exception."""
        proxy = "proxy_credential: {user: u, password: {from: file, path: /p}}\n"
        bare, ours, theirs = HEAD + HOST + INSTALLER, "token: {source: coordinator}\n", "token: {source: file, path: /t}\n"
        good = [BASE + proxy + "proxy: http://p:1\n", bare + theirs + "verify: {by: local}\n", installer("selinux: true, engine: podman"),
                bare + "token: {source: {from: command, argv: [/t]}}\nverify: {by: local}\n", BASE + "token: {persistent: true}\n",
                BASE + "token: {source: credential, name: t}\n"]
        bad = [BASE + proxy, bare, bare + theirs, bare + ours + "verify: {by: local}\n", bare + "verify: {by: local}\n",
               bare + theirs + "verify: {by: both}\n", bare + theirs + "verify: {by: local}\non_stale_runner: replace\n",
               installer("selinux: true"), installer("selinux: true, engine: docker"), BASE + "token: {source: file}\n",
               BASE + "token: {source: file, path: /t, name: n}\n", BASE + "token: {name: n}\n",
               BASE + "token: {source: {from: file, path: /t}, path: /t}\n", BASE + "token: {source: {from: env, name: T}}\n",
               BASE + "token: {source: file, path: /t, persistent: true}\n", HEAD + "credential: {}\n" + HOST + INSTALLER]
        for spec, expected in [(spec, True) for spec in good] + [(spec, False) for spec in bad]:
            problems, = self.judges.parser([spec.encode()])
            self.assertIs(not problems, expected, (spec, problems))
            self.assertIs(self.judges.accepts(spec.encode()), expected, spec)

    def test_where_it_wants_quotes(self):
        for example in (host("availability_zone: true"), installer("user: true"), installer("ece_docker_repository: 1")):
            self.assertEqual(self.judges.parser([example.encode()]), [[]])
            self.assertEqual(self.judges.accepts(example.encode()), "quoted", example)

    def test_examples_and_documents(self):
        """Here the parser is asked as people ask it, and all are good."""
        found = list(specs.of_documents())
        self.assertGreaterEqual(len(found), 5)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in found:
                file = pathlib.Path(folder) / "spec.yaml"
                file.write_bytes(text)
                self.assertEqual(subprocess.run([ENROLL, "validate", file], capture_output=True, check=False).returncode, 0, name)
                self.assertIs(self.judges.accepts(text), True, name)

    def test_specs_of_the_unit_tests(self):
        found = list(specs.of_unit_tests())
        self.assertGreater(len(found), 200)
        self.assertGreater(self.agree(found), 10)

    def test_seeds_of_the_fuzzers(self):
        found = list(specs.of_fuzzing())
        self.assertGreater(len(found), 500)
        self.assertGreater(self.agree(found), 1)

    def test_every_key_with_every_kind_of_value(self):
        values = specs.kinds_of_values()
        self.assertGreater(len(values), 100)
        self.assertGreater(self.agree(("%s: %s" % (key, value[:40]), with_key(key, value).encode()) for key in keys() for value in values), 100)

    def test_sizes_of_memory(self):
        sizes = ("1G", "512M", "3K", "01G", "9999999G", "12345678G", "0G", "000K", "1T", "1g", "G", "1", "1.5G", "-1G", "' 1G'", "1 G", "1e3M")
        self.assertEqual(self.agree((size, host("memory_settings: {runner: {xms: %s, xmx: %s}}" % (size, size)).encode()) for size in sizes), 5)

    def test_every_byte_of_good_values(self):
        """Thousands, so the schema is asked about the one value, and not about all that stands beside it."""
        named, values = [], {}
        for key, good in VALUES.items():
            schema = self.judges.schema.schema
            for step in key.split("."):
                schema = schema["properties"][step]
            validator = self.judges.schema.evolve(schema=schema)
            for value in sorted({one for text in good for one in changed(text)} | set(good)):
                written = json.dumps([value] if key in LISTS else value)
                values[key, value] = validator, json.loads(written)
                named.append(((key, value), with_key(key, written).encode()))
        self.assertGreater(self.agree(named, lambda name, _: values[name][0].is_valid(values[name][1])), 1000)


if __name__ == "__main__":
    tap.main()
