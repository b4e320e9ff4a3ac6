# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documents are what scripts/pictures draws from what is written now, and are what a browser takes. Those of
scripts/fleet and scripts/fleet-real show measurements, which are not made again here."""

import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import lint

PICTURES = lint.TOP / "doc" / "pictures"
NAMES = ("architecture.svg", "session.svg", "state-machine.svg")
MEASURED = ("fleet-demand.svg", "fleet-front.svg", "fleet-growth.svg", "fleet-real.svg")
AGAIN = "draw it anew by scripts/pictures, and look at it"


def drawn():
    with tempfile.TemporaryDirectory() as name:
        said = subprocess.run([sys.executable, "-B", lint.TOP / "scripts" / "pictures", name], capture_output=True, text=True, check=False)
        if said.returncode != 0:
            yield f"scripts/pictures: exit {said.returncode}: {said.stderr}"
            return
        made = {path.name: path.read_bytes() for path in pathlib.Path(name).iterdir()}
    there = {path.name: path.read_bytes() for path in PICTURES.iterdir() if path.name not in MEASURED}
    for picture in sorted({*NAMES, *made, *there}):
        if picture not in NAMES or picture not in made or picture not in there:
            yield f"doc/pictures/{picture}: not one of the three that are drawn, listed here, and there"
        elif made[picture] != there[picture]:
            yield f"doc/pictures/{picture}: {AGAIN}"


def whole():
    """Well-formed, with a title for those who can't see it, nothing from elsewhere, and all text inside of the frame."""
    for name in NAMES + MEASURED:
        top = xml.etree.ElementTree.fromstring((PICTURES / name).read_text(encoding="utf-8"))
        _, _, width, height = map(float, top.get("viewBox").split())
        if top.find("{http://www.w3.org/2000/svg}title") is None:
            yield f"doc/pictures/{name}: no title"
        if any("href" in key for element in top.iter() for key in element.attrib):
            yield f"doc/pictures/{name}: refers to something outside"
        for text in top.iter("{http://www.w3.org/2000/svg}text"):
            x, y = float(text.get("x")), float(text.get("y"))
            right = x + float(text.get("textLength", 0))
            if not (0 <= x and right <= width and 0 <= y <= height):
                yield f"doc/pictures/{name}: outside of the frame: {text.text}"


lint.main([
    ("pictures are drawn from what is written", drawn()),
    ("pictures are whole", whole()),
])
