#!/usr/bin/env python3
"""Sheets of redrawn faces, for docs/redrawn.md and for looking at weights.

    python tools/redrawn.py sheet OUT PHOTO...                    every expression, and below it the mouth at 3 x
    python tools/redrawn.py sheet OUT PHOTO... --targets happiness jawOpen=0.7
    python tools/redrawn.py sliders OUT PHOTO jawOpen happiness=0.9,teethShown    a strip for each slider, 0 to 1

The program is $FERSNET_BIN, or target/release/fersnet; `--with` passes options on to it, such as
`--with="--weights W --painter P"`. Needs Pillow.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

EXPRESSIONS = "neutral happiness surprise sadness anger disgust fear contempt".split()
STEPS = [0.0, 0.25, 0.5, 0.75, 1.0]

# Half width, from above to below the eyes' middle, in eye distances.
FACE = (1.45, -1.2, 1.7)
MOUTH = (0.62, 0.62, 1.55)

# How many times larger than in its face the mouth is shown.
MOUTH_ZOOM = 3
LABEL = 16


class Program:
    def __init__(self, options, tile):
        self.tile = tile
        self.binary = os.environ.get("FERSNET_BIN", "target/release/fersnet")
        self.options = shlex.split(options)

    def run(self, command, *arguments):
        call = [self.binary, command, *self.options, *map(str, arguments)]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(call)}\n{done.stderr.strip()}")
        return done.stdout

    def eyes(self, photo):
        """Both eyes of the largest face."""
        faces = json.loads(self.run("predict", "--json", photo))["pictures"][0]["faces"]
        if not faces:
            sys.exit(f"{photo}: no face was found")
        marks = faces[0]["landmarks"]
        return [(marks[eye]["x"], marks[eye]["y"]) for eye in ("right_eye", "left_eye")]

    def redrawn(self, photo, target):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "redrawn.png"
            self.run("synthesize", "--target", target, "-o", path, photo)
            return Image.open(path).convert("RGB")


def cut(picture, eyes, box, width):
    """A box around the eyes' middle, `width` pixels wide."""
    (ax, ay), (bx, by) = eyes
    distance = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    x, y = (ax + bx) / 2, (ay + by) / 2
    half, top, bottom = box
    edges = (x - half * distance, y + top * distance, x + half * distance, y + bottom * distance)
    height = round(width * (bottom - top) / (2 * half))
    part = picture.crop(tuple(round(edge) for edge in edges))
    return part.resize((width, height), Image.Resampling.LANCZOS)


def tile(picture, eyes, label, side):
    """A face `side` pixels wide, its mouth below it, a label above."""
    face = cut(picture, eyes, FACE, side)
    zoomed = round(side * MOUTH_ZOOM * MOUTH[0] / FACE[0])
    mouth = cut(picture, eyes, MOUTH, zoomed)
    width = max(side, zoomed)
    out = Image.new("RGB", (width, LABEL + face.height + mouth.height), "white")
    ImageDraw.Draw(out).text((4, 2), label, fill="black")
    out.paste(face, ((width - side) // 2, LABEL))
    out.paste(mouth, ((width - zoomed) // 2, LABEL + face.height))
    return out


def stacked(rows):
    width = max(sum(one.width for one in row) for row in rows)
    out = Image.new("RGB", (width, sum(row[0].height for row in rows)), "white")
    y = 0
    for row in rows:
        x = 0
        for one in row:
            out.paste(one, (x, y))
            x += one.width
        y += row[0].height
    return out


def sheet(program, photo, targets):
    eyes = program.eyes(photo)
    before = tile(Image.open(photo).convert("RGB"), eyes, "photograph", program.tile)
    redrawn = [tile(program.redrawn(photo, target), eyes, target, program.tile) for target in targets]
    return [before, *redrawn]


def slider(program, photo, wish):
    fixed, comma, moved = wish.rpartition(",")
    name, _, most = moved.partition("=")
    eyes, most = program.eyes(photo), float(most or 1.0)
    values = [f"{name}={most * step:g}" for step in STEPS]
    redrawn = [program.redrawn(photo, fixed + comma + value) for value in values]
    return [tile(picture, eyes, value, program.tile) for picture, value in zip(redrawn, values)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with", dest="options", default="", help="options for the program")
    parser.add_argument("--tile", type=int, default=200, help="width of a face in the sheet")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("sheet")
    one.add_argument("out")
    one.add_argument("photos", nargs="+")
    one.add_argument("--targets", nargs="+", default=EXPRESSIONS)
    one = commands.add_parser("sliders")
    one.add_argument("out")
    one.add_argument("photo")
    one.add_argument("sliders", nargs="+", help="a control, with the most that is shown, after what is held fixed")
    arguments = parser.parse_args()
    program = Program(arguments.options, arguments.tile)
    if arguments.command == "sheet":
        rows = [sheet(program, photo, arguments.targets) for photo in arguments.photos]
    else:
        rows = [slider(program, arguments.photo, wish) for wish in arguments.sliders]
    stacked(rows).save(arguments.out, quality=88)


if __name__ == "__main__":
    main()
