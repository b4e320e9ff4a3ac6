# SPDX-License-Identifier: Apache-2.0
"""What scripts/fleet plays: scenarios, policies, constants and seeds.

A scenario is a list of words for the program `fleet` (tests/fleet/fleet-main.c says what they mean). Those by which constants are
compared first (TUNING) and those by which they are judged (JUDGING) share neither a seed nor a length nor a number of hosts.
"""

REFUSED_180 = "outage=0-180s:refused"
ROLLING = "coordinators=3 outage=20s-80s:{0}@0 outage=80s-140s:{0}@1 outage=140s-200s:{0}@2"

# Letter, name, words. A thousand hosts that start within 10 s.
SCENARIOS = [
    ("A", "nothing is wrong", ""),
    ("B", "connections refused for 30 s", "outage=0-30s:refused"),
    ("C", "connections refused for 180 s", REFUSED_180),
    ("D", "connections refused for 600 s", "outage=0-600s:refused"),
    ("E", "packets vanish for 180 s", "outage=0-180s:silence"),
    ("F", "503 for 180 s, without Retry-After", "outage=0-180s:503-ece"),
    ("G", "429 for 180 s, Retry-After 60", "outage=0-180s:429 retry-after=60s"),
    ("H", "100 requests/s, 429 for the rest", "capacity=100 limit=429"),
    ("I", "50 requests/s, the rest waits in line", "capacity=50 limit=queue"),
    ("J", "refused for 180 s, then as H", REFUSED_180 + " capacity=100 limit=429"),
    ("K", "three coordinators, one is dead: packets vanish", "coordinators=3 outage=0-1d:silence@0"),
    ("L", "three coordinators are restarted in turn, each refuses for 60 s", ROLLING.format("refused")),
]

# With our own defaults only: what else a platform may do.
OURS_ONLY = [
    ("503 for 180 s, Retry-After 60", "outage=0-180s:503-ece retry-after=60s"),
    ("429 for 180 s, without Retry-After", "outage=0-180s:429"),
    ("50 requests/s, 429 for the rest", "capacity=50 limit=429"),
    ("50 requests/s, 429, Retry-After 30", "capacity=50 limit=429 retry-after=30s"),
    ("50 requests/s, 429, Retry-After 30; retry.splay 10 minutes", "splay=10m capacity=50 limit=429 retry-after=30s"),
    ("50 requests/s, 429, Retry-After as long as the line", "capacity=50 limit=429 retry-after=drained"),
    ("50 requests/s, 503 in ECE's words", "capacity=50 limit=503-ece"),
    ("50 requests/s, 503 of a balancer", "capacity=50 limit=503"),
    ("25 requests/s, the rest waits in line", "capacity=25 limit=queue"),
    ("3,000 hosts, 50 requests/s, the rest waits in line", "hosts=3000 capacity=50 limit=queue"),
    ("three coordinators, one refuses for good", "coordinators=3 outage=0-1d:refused@0"),
    ("three coordinators, one says 503 in ECE's words for good", "coordinators=3 outage=0-1d:503-ece@0"),
    ("three coordinators, one is a balancer that says 503 for good", "coordinators=3 outage=0-1d:503@0"),
    ("restarted in turn, a balancer says 503 for 60 s each", ROLLING.format("503")),
]

OURS = "ece-enroll"
PEERS = ["rauc-hawkbit-updater", "kubeadm", "k3s", "nomad", "ignition", "afterburn", "phone_home", "tailscale", "elastic-agent", "openbao"]
# Name, words.
POLICIES = ([(OURS, ""), (OURS + ", splay 0", "splay=0")] + [(name, "policy=" + name) for name in PEERS] +
            [(name + " + splay", "splayed=yes policy=" + name) for name in PEERS])

DRAWN = [(OURS, ""), ("kubeadm", "policy=kubeadm"), ("k3s + splay", "splayed=yes policy=k3s"),
         ("nomad + splay", "splayed=yes policy=nomad"), ("elastic-agent + splay", "splayed=yes policy=elastic-agent")]

GROWTH_HOSTS = [100, 300, 1000, 3000, 10000, 30000, 100000]
# Name, words, the most hosts. An endless line that has grown longer than anybody waits is worked off for nobody, for hours.
GROWTH = [("refused for 180 s, no limit", REFUSED_180, 100000),
          ("nothing is wrong, 500 requests/s, the rest waits in line", "capacity=500 limit=queue", 10000)]

# retry.splay, retry.backoff.min, retry.backoff.max
SPLAYS, FIRSTS, LONGESTS = (0, 15, 30, 60, 120), (1, 2, 5, 10), (30, 60, 120, 300)
CANDIDATES = [(splay, first, longest) for splay in SPLAYS for first in FIRSTS for longest in LONGESTS]
SHIPPED = (60, 5, 60)

TUNING = {
    "hosts": 500,
    "seeds": "1-3",
    "scenarios": ["", "outage=0-60s:refused", "outage=0-240s:503-ece", "outage=0-120s:429 retry-after=45s", "capacity=40 limit=429",
                  "coordinators=3 outage=0-1d:refused@1"],
}
JUDGING = {
    "hosts": 1000,
    "seeds": "1001-1005",
    "scenarios": ["", REFUSED_180, "outage=0-420s:503-ece", "outage=0-180s:429 retry-after=60s", "capacity=100 limit=429",
                  "coordinators=3 outage=0-1d:silence@2"],
}
# The longest pause at a shut gate is that of retry.backoff: what another one would change. Four seconds is where it begins, so with them
# it does not grow.
GATES = ("4s", "15s", "30s", "60s", "120s", "300s")
GATE_SCENARIOS = [("180 s", REFUSED_180), ("600 s", "outage=0-600s:refused"), ("an hour", "outage=0-1h:refused")]


def words_of(candidate):
    return "splay=%ds min=%ds max=%ds" % candidate
