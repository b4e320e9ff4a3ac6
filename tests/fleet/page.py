# SPDX-License-Identifier: Apache-2.0
"""Tables and pictures of doc/fleet.md from the results of scripts/fleet, and the same tables for a terminal."""

import re

import front
import scenes
from chart import COLOURS, FAINT, INK, Axis, Panel, Sheet, legend

TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- table end -->)", re.DOTALL)
NEVER = "never"


def whole(value):
    return NEVER if value is None else f"{value:,.0f}"


def tenth(value):
    return NEVER if value is None else f"{value:,.1f}"


def markdown(head, rows, left=1):
    lines = ["| %s |" % " | ".join(head), "|%s|" % "|".join(["---"] * left + ["---:"] * (len(head) - left))]
    return "\n".join(lines + ["| %s |" % " | ".join(row) for row in rows])


# --- Tables --------------------------------------------------------------------------------------------------------------------------

def scenario_rows(_results):
    return ("", "scenario", "words for `fleet`"), [[letter, name, f"`{words}`" if words else ""] for letter, name, words in scenes.SCENARIOS], 3


def by_scenario(results, name, form):
    letters = [letter for letter, _, _ in scenes.SCENARIOS]
    rows = [[policy, *(form(summaries[letter][name]) for letter in letters)] for policy, summaries in results["table"].items()]
    return ("", *letters), rows, 1


def outside_rows(results):
    """Only those that leave anybody outside."""
    rows = []
    for policy, summaries in results["table"].items():
        shares = {letter: summaries[letter]["outside"] for letter, _, _ in scenes.SCENARIOS if summaries[letter]["outside"] > 0}
        everybody = [letter for letter, share in shares.items() if share == 100]
        some = [f"{letter}: {share:.1f} %" for letter, share in shares.items() if share < 100]
        if shares:
            rows.append([policy, ", ".join(everybody), ", ".join(some)])
    return ("", "everybody", "some"), rows, 3


def ours_rows(results):
    rows = [[name, whole(s["peak"]), whole(s["peak_handshakes"]), tenth(s["requests"]), tenth(s["connections"]), tenth(s["knocks"]), f"{s['tokens']:.2f}",
             whole(s["token_99"]), whole(s["enrolled_99"]), tenth(s["outside"])]
            for name, s in [[f"{letter}: {name}", results["table"][scenes.OURS][letter]] for letter, name, _ in scenes.SCENARIOS] + results["ours"]]
    return ("", "peak/s", "handshakes, peak/s", "requests", "connections", "in vain", "tokens", "99 % token, s", "99 % member, s", "outside, %"), rows, 1


def named(candidate):
    return "splay %d, %d to %d s" % tuple(candidate)


def neighbours():
    """The shipped constants, and each with one of them changed."""
    splay, first, longest = scenes.SHIPPED
    return ([scenes.SHIPPED] + [(n, first, longest) for n in scenes.SPLAYS if n != splay] + [(splay, n, longest) for n in scenes.FIRSTS if n != first] +
            [(splay, first, n) for n in scenes.LONGESTS if n != longest])


def yes(value):
    return "yes" if value else ""


MEASURED = ("delay, s", "peak/s", "requests", "connections", "99 % member, s")


def measures(m):
    return [tenth(m["delay"]), whole(m["peak"]), tenth(m["requests"]), tenth(m["connections"]), whole(m["enrolled_99"])]


def constant_rows(results):
    tuning, judging = (dict((tuple(name), m) for name, m in results["constants"][which]) for which in ("tuning", "judging"))
    fronts = front.of(tuning), front.of(judging)
    rows = []
    for candidate in neighbours():
        if candidate in judging:
            m = judging[candidate]
            rows.append([("**%s**" if candidate == scenes.SHIPPED else "%s") % named(candidate), *measures(m),
                         yes(candidate in fronts[0]), yes(candidate in fronts[1])])
    return ("", *MEASURED, "front, tuning", "front, judging"), rows, 1


def standing(results):
    """What the fronts say of the shipped constants, in a sentence or two."""
    said = []
    dominant = []
    for which in ("tuning", "judging"):
        measured = dict((tuple(name), m) for name, m in results["constants"][which])
        better = front.clearly_better(measured, scenes.SHIPPED)
        dominant.append(set(better))
        on = front.of(measured)
        said.append("Of %d candidates %d are on the front of the %s set; the shipped one is%s." %
                    (len(measured), len(on), which, "" if scenes.SHIPPED in on else " not"))
    both = sorted(dominant[0] & dominant[1])
    said.append("Clearly better than the shipped one in both sets: %s." % ("; ".join(named(c) for c in both) if both else "none"))
    said.append("In one set only: %s." % ("; ".join(named(c) for c in sorted(dominant[0] ^ dominant[1])) or "none"))
    return " ".join(said)


def peer_rows(results):
    shipped = [["**%s**" % scenes.OURS, m] for name, m in results["constants"]["judging"] if tuple(name) == scenes.SHIPPED]
    return ("", *MEASURED), [[name, *measures(m)] for name, m in shipped + results["constants"]["peers"]], 1


def gate_rows(results):
    """The shipped longest pause is that of the others."""
    rows = [["**%s**" % gate if gate == "%ds" % scenes.SHIPPED[2] else gate,
             *(cell for s in summaries for cell in (whole(s["peak"]), tenth(s["knocks"]), whole(s["enrolled_99"])))]
            for gate, summaries in results["gates"]]
    head = (cell for name, _ in scenes.GATE_SCENARIOS for cell in (f"{name}: peak/s", "in vain", "99 % member, s"))
    return ("longest pause", *head), rows, 1


def growth_rows(results):
    rows = []
    for name, steps in results["growth"]:
        for hosts, by_policy in steps:
            s = by_policy[scenes.OURS]
            rows.append([name, whole(hosts), whole(s["peak"]), tenth(s["requests"]), tenth(s["connections"]), whole(s["enrolled_99"]), tenth(s["outside"])])
    return ("", "hosts", "peak/s", "requests", "connections", "99 % member, s", "outside, %"), rows, 1


TABLES = {
    "scenarios": scenario_rows,
    "peak": lambda results: by_scenario(results, "peak", whole),
    "requests": lambda results: by_scenario(results, "requests", tenth),
    "connections": lambda results: by_scenario(results, "connections", tenth),
    "member": lambda results: by_scenario(results, "enrolled_99", whole),
    "outside": outside_rows,
    "ours": ours_rows,
    "constants": constant_rows,
    "peers": peer_rows,
    "gates": gate_rows,
    "growth": growth_rows,
}


def plain(results):
    """The tables in columns."""
    lines = []
    for name, make in TABLES.items():
        head, rows, left = make(results)
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines += ["", name, ""]
        lines += ["  ".join(cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip() for row in [head, *rows]]
    return "\n".join([*lines, "", standing(results)])


# --- Pictures ------------------------------------------------------------------------------------------------------------------------

def demand(results):
    """Arrivals per second, means over 5 s, in the outage of 180 s."""
    sheet, step = Sheet(1040, 430, "Arrivals per second of a thousand hosts while a coordinator refuses for 180 s, and after"), 5
    longest = max(len(curve) for curve in results["curves"].values())
    panel = Panel(sheet, 70, 52, 720, 320, Axis("seconds since the first host has started", longest), Axis("arrivals per second", 1000, logarithmic=True),
                  "Refused for 180 s, 1000 hosts")
    for n, curve in enumerate(results["curves"].values()):
        points = [(i + step / 2, sum(curve[i:i + step]) / len(curve[i:i + step])) for i in range(0, len(curve), step)]
        panel.curve(points, n)
    x = panel.x(180)
    sheet.line([(x, 52), (x, 372)], INK, 1.2, "3 3")
    sheet.text(x + 6, 66, "it answers again", size=11, fill=FAINT)
    legend(sheet, 815, 80, list(results["curves"]))
    sheet.text(815, 200, "Means over 5 s. The last hill,", size=11, fill=FAINT)
    sheet.text(815, 216, "from some 500 s on, are looks", size=11, fill=FAINT)
    sheet.text(815, 232, "at hosts that have joined.", size=11, fill=FAINT)
    return sheet.svg()


def points_of(panel, measured, across, up, on):
    for name, m in measured.items():
        if m[across] is not None and m[up] is not None and name != scenes.SHIPPED:
            colour = COLOURS[1 + scenes.SPLAYS.index(name[0])]
            panel.sheet.dot(panel.x(m[across]), panel.y(m[up]), colour, filled=name in on)
    m = measured[scenes.SHIPPED]
    panel.sheet.dot(panel.x(m[across]), panel.y(m[up]), COLOURS[0], radius=4.5)
    panel.sheet.dot(panel.x(m[across]), panel.y(m[up]), COLOURS[0], radius=9, filled=False, width=1.8)


def pareto(results):
    measured = dict((tuple(name), m) for name, m in results["constants"]["judging"])
    on = front.of(measured)
    peers = [(name, m) for name, m in results["constants"]["peers"] if None not in m.values()]
    sheet = Sheet(1040, 470, "The constants that were tried, and other policies with the same splay, by four measures")

    def axis(words, name):
        values = [m[name] for m in measured.values() if m[name] is not None] + [m[name] for _, m in peers]
        return Axis(words, max(values), least=min(values))

    panels = [(Panel(sheet, 70, 52, 350, 320, axis("requests and new connections per host", "effort"), axis("99 % are members, seconds", "enrolled_99"),
                     "Effort and time"), "effort", "enrolled_99"),
              (Panel(sheet, 500, 52, 350, 320, axis("delay when nothing is wrong, seconds", "delay"),
                     axis("arrivals in the busiest second", "peak"), "Patience and peak"), "delay", "peak")]
    for panel, across, up in panels:
        points_of(panel, measured, across, up, on)
        for _, m in peers:
            sheet.square(panel.x(m[across]), panel.y(m[up]), INK)
    sheet.dot(880, 76, COLOURS[0], radius=4.5)
    sheet.dot(880, 76, COLOURS[0], radius=9, filled=False, width=1.8)
    sheet.text(896, 80, "the defaults")
    for n, splay in enumerate(scenes.SPLAYS):
        sheet.dot(880, 100 + 20 * n, COLOURS[1 + n])
        sheet.text(896, 104 + 20 * n, f"splay {splay} s")
    sheet.dot(880, 204, FAINT, filled=False)
    sheet.text(896, 208, "not on the front")
    sheet.square(880, 224, INK)
    sheet.text(896, 228, "others + splay")
    sheet.text(70, 440, "Means over the scenarios of the judging set. The front has four dimensions: a point may be on it that seems beaten here. The axes do not begin at 0.",
               size=11, fill=FAINT)
    return sheet.svg()


def grow(results):
    sheet = Sheet(1040, 440, "The busiest second, and the time until 99 % are members, from a hundred hosts to a hundred thousand")
    shown = [("peak", 0, "arrivals in the busiest second", True, 70), ("enrolled_99", 1, "99 % are members, seconds", False, 490)]
    for name, which, words, logarithmic, left in shown:
        title, steps = results["growth"][which]
        values = [s[name] for _, by_policy in steps for s in by_policy.values() if s[name] is not None]
        hosts_axis = Axis("hosts", steps[-1][0], logarithmic=True, least=100)
        panel = Panel(sheet, left, 52, 340, 320, hosts_axis, Axis(words, max(values), logarithmic, 10 if logarithmic else 0), title[0].upper() + title[1:])
        for n, (policy, _) in enumerate(scenes.DRAWN):
            points = [(hosts, by_policy[policy][name]) for hosts, by_policy in steps if by_policy[policy][name] is not None]
            if points:
                panel.curve(points, n)
    legend(sheet, 852, 80, [name for name, _ in scenes.DRAWN])
    return sheet.svg()


PICTURES = {"fleet-demand.svg": demand, "fleet-front.svg": pareto, "fleet-growth.svg": grow}


def write(document, pictures, results):
    text = document.read_text(encoding="utf-8")

    def fill(match):
        name = match[2]
        made = standing(results) if name == "standing" else markdown(*TABLES[name](results)) if name != "seeds" else "Each is played with the seeds %s." % results["seeds"]
        return f"{match[1]}\n{made}\n\n{match[3]}"

    document.write_text(TABLE.sub(fill, text), encoding="utf-8")
    for name, draw in PICTURES.items():
        (pictures / name).write_text(draw(results), encoding="utf-8")
