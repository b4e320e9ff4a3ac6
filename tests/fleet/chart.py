# SPDX-License-Identifier: Apache-2.0
"""Line and point charts as SVG, on a sheet of paper of their own, so that they can be read on a light page and on a dark one."""

import html
import math

SANS = "'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
INK, FAINT, GRID, PAPER, BORDER = "#1f2933", "#5f6b7a", "#e3e8ee", "#ffffff", "#d5dbe2"
# Told apart by who can't tell red from green, too; the first is ours.
COLOURS = ("#c0392b", "#3b6ea8", "#2e8b57", "#b7791f", "#7b4fa3", "#5f6b7a")
DASHES = (None, None, "7 3", "2 3", "9 3 2 3", "4 4")


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def label(value):
    return f"{value / 1000:g}k" if value >= 1000 and value % 1000 == 0 else f"{value:g}"


class Axis:
    """From values to a stretch of the sheet; logarithmic from the power of ten `least` on, or linear from there or a little before."""

    def __init__(self, name, most, logarithmic=False, least=None):
        self.name, self.logarithmic = name, logarithmic
        if logarithmic:
            self.least = least or 1
            self.most = 10 ** math.ceil(math.log10(max(most, self.least * 10)) - 1e-9)
            self.ticks = [10 ** n for n in range(round(math.log10(self.least)), round(math.log10(self.most)) + 1)]
        else:
            span = most - (least or 0)
            step = 10 ** math.floor(math.log10(max(span, 1e-9)))
            step = next(step * n for n in (0.2, 0.5, 1, 2) if span / (step * n) <= 6)
            self.least, self.most = step * math.floor((least or 0) / step), step * math.ceil(most / step - 1e-9)
            self.ticks = [self.least + step * n for n in range(round((self.most - self.least) / step) + 1)]

    def at(self, value):
        if self.logarithmic:
            return math.log10(max(value, self.least) / self.least) / math.log10(self.most / self.least)
        return (value - self.least) / (self.most - self.least)


class Sheet:
    def __init__(self, width, height, title):
        self.size, self.title, self.shapes = (width, height), title, []
        self.shapes.append(f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10" fill="{PAPER}" stroke="{BORDER}"/>')

    def text(self, x, y, words, size=12, fill=INK, anchor="start", weight=None, turned=False):
        more = f' font-weight="{weight}"' if weight else ""
        more += f' transform="rotate(-90 {number(x)} {number(y)})"' if turned else ""
        self.shapes.append(f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"{more}>'
                           f"{html.escape(words, quote=False)}</text>")

    def line(self, points, colour, width=1.8, dash=None):
        path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{more}/>')

    def dot(self, x, y, colour, radius=3.5, filled=True, width=1.4):
        self.shapes.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{radius:g}" fill="{colour if filled else "none"}" '
                           f'stroke="{colour}" stroke-width="{width:g}"/>')

    def square(self, x, y, colour, side=7):
        self.shapes.append(f'<rect x="{number(x - side / 2)}" y="{number(y - side / 2)}" width="{side:g}" height="{side:g}" '
                           f'fill="none" stroke="{colour}" stroke-width="1.6"/>')

    def svg(self):
        width, height = self.size
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
                          f'role="img" font-family="{html.escape(SANS)}">', "<!-- SPDX-License-Identifier: Apache-2.0 -->",
                          f"<title>{html.escape(self.title)}</title>", *self.shapes, "</svg>", ""])


class Panel:
    """A frame with two axes on a sheet."""

    def __init__(self, sheet, left, top, width, height, across, up, title):
        self.sheet, self.across, self.up = sheet, across, up
        self.left, self.top, self.width, self.height = left, top, width, height
        sheet.text(left, top - 12, title, size=13, weight="bold")
        for tick in across.ticks:
            x = self.x(tick)
            sheet.line([(x, top), (x, top + height)], GRID, 1)
            sheet.text(x, top + height + 16, label(tick), size=11, fill=FAINT, anchor="middle")
        for tick in up.ticks:
            y = self.y(tick)
            sheet.line([(left, y), (left + width, y)], GRID, 1)
            sheet.text(left - 7, y + 4, label(tick), size=11, fill=FAINT, anchor="end")
        sheet.line([(left, top), (left, top + height), (left + width, top + height)], FAINT, 1.2)
        sheet.text(left + width / 2, top + height + 34, across.name, anchor="middle", fill=FAINT)
        sheet.text(left - 44, top + height / 2, up.name, anchor="middle", fill=FAINT, turned=True)

    def x(self, value):
        return self.left + self.across.at(value) * self.width

    def y(self, value):
        return self.top + self.height - self.up.at(value) * self.height

    def curve(self, points, number_of):
        self.sheet.line([(self.x(x), self.y(y)) for x, y in points], COLOURS[number_of], 2.4 if number_of == 0 else 1.7, DASHES[number_of])


def legend(sheet, x, y, names, gap=18):
    for n, name in enumerate(names):
        sheet.line([(x, y + n * gap - 4), (x + 30, y + n * gap - 4)], COLOURS[n], 2.4 if n == 0 else 1.7, DASHES[n])
        sheet.text(x + 38, y + n * gap, name)
