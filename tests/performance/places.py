# SPDX-License-Identifier: Apache-2.0
"""Where the instructions go: what each of some functions has cost together with all that it has called, program by program.

Of programs that still have their symbols. callgrind writes its profile when a process ends, as whoever that is then; so the whole
runs as the install user, who may do it (`ece-enroll run` needs no privilege then).
"""

import os
import re
import shutil
import subprocess

import instructions
from world import BUILD, FILES, PROGRAMS

# What is told -> functions, the first of them that there is. One may be inside of another.
PLACES = (
    ("loading libraries", ("_dl_start",)),
    ("setting up OpenSSL and libcurl", ("curl_global_init_mem", "curl_global_init")),
    ("contexts for TLS", ("SSL_CTX_new_ex", "SSL_CTX_new")),
    ("handshakes", ("SSL_do_handshake",)),
    ("of it, keys in certificates", ("d2i_X509",)),
    ("the spec", ("spec_load",)),
    ("of it, digests", ("bytes_sha256",)),
    ("the CA file", ("trust_load_ca",)),
    ("status and reports", ("agent_report",)),
    ("the record", ("agent_save", "attempt_record_write")),
    ("leaving", ("exit",)),
)
ROW = re.compile(r"^ *([\d,]+) \([^)]*\)  (?:\S*?:)?([\w.@']+)(?: \[|$)", re.MULTILINE)
ALL = re.compile(r"^ *([\d,]+) .*PROGRAM TOTALS$", re.MULTILINE)
COMMAND = re.compile(r"^cmd: +(\S+)", re.MULTILINE)


def inclusive(path):
    """({function: instructions}, all) of one profile. A function that calls itself stands there once more, with an apostrophe."""
    said = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", path], capture_output=True, text=True, check=True)
    found = {}
    for count, name in ROW.findall(said.stdout):
        name = name.partition("'")[0].partition("@")[0]
        found[name] = max(found.get(name, 0), int(count.replace(",", "")))
    return found, int(ALL.search(said.stdout)[1].replace(",", ""))


def places_of(path):
    functions, everything = inclusive(path)
    found = {"all": everything}
    for what, names in PLACES:
        name = next((name for name in names if name in functions), None)
        if name:
            found[what] = functions[name]
    return found


def look(candidate, preload):
    """{program: {place: instructions}}; of the candidate's programs those that are ours."""
    bed = candidate.bed
    profiles = bed.top / "profiles"
    profiles.mkdir()
    profiles.chmod(0o777)
    for name in FILES:
        shutil.copy2(BUILD / name, bed.programs / name)
    bed.owner = bed.user
    os.chown(bed.key_path, bed.user.pw_uid, bed.user.pw_gid)
    helper = instructions.Helper(bed.top / "pidfd")
    try:
        candidate.run(["setpriv", "--reuid=%d" % bed.user.pw_uid, "--regid=%d" % bed.user.pw_gid, "--init-groups", "valgrind",
                       "--tool=callgrind", "--trace-children=yes", "--log-file=/dev/null", "--callgrind-out-file=%s/%%p" % profiles],
                      LD_PRELOAD=str(preload), PIDFD_HELPER=helper.path)
    finally:
        helper.close()
        bed.owner = None
        os.chown(bed.key_path, os.getuid(), os.getgid())
    found = {}
    for path in sorted(profiles.iterdir()):
        program = os.path.basename(COMMAND.search(path.read_text(errors="replace"))[1])
        if program in PROGRAMS or program == candidate.name:
            found[program] = places_of(path)
    shutil.rmtree(profiles)
    return found
