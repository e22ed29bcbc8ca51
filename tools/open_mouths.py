#!/usr/bin/env python3
"""Paired sets for training with controls, from two kinds of sources.

    open_mouths.py closed PORTRAITS OUT [--skip SUBJECTS.txt]

PORTRAITS holds photographs with open mouths, the same faces drawn shut (`closed/`), `closed.csv` with what
the photographs show in facial units, `open-mouths.csv` and mesh points (`open-mouths.safetensors`,
`landmarks.safetensors`). OUT becomes a paired set (docs/training.md): each photograph with its units and the
map of its mouth's inside, and beside it the face drawn shut.

    open_mouths.py opened DRAWN OUT [--source NAME]

DRAWN holds faces that a face model opened (manifest-*.csv, a cavity map beside each picture). OUT becomes a
paired set whose mouths are marked as drawn. Pictures are linked, not copied.

Needs numpy, pillow and safetensors.
"""

import argparse
import csv
import pathlib
import re

import numpy as np
from PIL import Image, ImageDraw
from safetensors import safe_open

# The inner lips in MediaPipe's mesh, in order around the mouth.
INNER_LIPS = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
# Mesh points are stored in 1/16 pixel.
MESH_SCALE = 16
# The map is drawn this many times as large, so that its edge is smooth.
SUPERSAMPLE = 4
EYES = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")


def arkit(name):
    """`mouthSmile_L` -> `mouthSmileLeft`."""
    return re.sub("_L$", "Left", re.sub("_R$", "Right", name))


def link(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_symlink():
        target.symlink_to(source.resolve())


def cavity_map(points, size):
    large = [s * SUPERSAMPLE for s in size]
    picture = Image.new("L", large, 0)
    polygon = [tuple(SUPERSAMPLE * points[i, :2]) for i in INNER_LIPS]
    ImageDraw.Draw(picture).polygon(polygon, fill=255)
    return picture.resize(size, Image.Resampling.BOX)


def read_points(folder):
    points = {}
    for name in ("open-mouths", "landmarks"):
        with safe_open(folder / f"{name}.safetensors", "np") as file:
            points |= {k: file.get_tensor(k).astype(np.float64) / MESH_SCALE for k in file.keys()}
    return points


class Manifest:
    def __init__(self, out, controls):
        self.controls = controls
        out.mkdir(parents=True, exist_ok=True)
        self.file = open(out / "manifest.csv", "w", newline="")
        head = ["file", "subject", "source", "expression", "intensity", "sample", "photo", "cavity", "mouth"]
        self.writer = csv.writer(self.file)
        self.writer.writerow([*head, *EYES, "licence", *controls])

    def add(self, own, eyes, licence, values):
        self.writer.writerow([*own, *eyes, licence, *(values.get(c, 0) for c in self.controls)])


def closed(portraits, out, skip):
    photos = {}
    for name in ("manifest.csv", "open-mouths.csv"):
        with open(portraits / name) as file:
            photos |= {row["file"]: row for row in csv.DictReader(file)}
    points = read_points(portraits)
    with open(portraits / "closed.csv") as file:
        rows = list(csv.DictReader(file))
    others = {"file", "fit_rms", "opening", "mouth_width", "closed_width"}
    units = [column for column in rows[0] if column not in others]
    manifest = Manifest(out, [arkit(unit) for unit in units])
    kept = 0
    for row in rows:
        name, photo = row["file"], photos[row["file"]]
        if photo["subject"] in skip:
            continue
        stem = name.rsplit(".", 1)[0]
        link(portraits / name, out / "photo" / name)
        link(portraits / "closed" / name, out / "closed" / name)
        size = Image.open(portraits / name).size
        cavity = out / "cavity" / f"{stem}.png"
        cavity.parent.mkdir(parents=True, exist_ok=True)
        cavity_map(points[name], size).save(cavity)
        eyes = [photo[eye] for eye in EYES]
        who = [photo["subject"], photo["source"]]
        shown = {arkit(unit): row[unit] for unit in units}
        # A mouth that speaks has the label `neutral`, but is not the calm face.
        expression = photo["expression"] if photo["expression"] != "neutral" else ""
        own = [f"photo/{name}", *who, expression, 1, "photo", name, f"cavity/{stem}.png", "photo"]
        manifest.add(own, eyes, photo["licence"], shown)
        own = [f"closed/{name}", *who, "neutral", 0, "closed", name, "", "drawn"]
        manifest.add(own, eyes, photo["licence"], {})
        kept += 1
    print(kept, "photographs with their faces drawn shut")


def opened(drawn, out, source):
    tables = sorted(drawn.glob("manifest-*.csv"))
    rows = [row for table in tables for row in csv.DictReader(open(table))]
    others = {"file", "subject", "expression", "intensity", *EYES}
    units = [column for column in rows[0] if column not in others]
    manifest = Manifest(out, [arkit(unit) for unit in units])
    for i, row in enumerate(rows):
        name = row["file"]
        if not (drawn / name).exists():
            continue  # the drawing still goes on
        link(drawn / name, out / name)
        stem = name.rsplit(".", 1)[0]
        is_open = np.asarray(Image.open(drawn / f"{stem}.png")).any()
        if is_open:
            link(drawn / f"{stem}.png", out / f"{stem}.png")
        subject = row["subject"]
        own = [name, subject, source or subject.split("-")[0], row["expression"], row["intensity"], i]
        own += [subject, f"{stem}.png" if is_open else "", "drawn"]
        manifest.add(own, [row[eye] for eye in EYES], "", {arkit(unit): row[unit] for unit in units})
    print(len(rows), "drawn faces")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["closed", "opened"])
    parser.add_argument("source_folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--skip", type=pathlib.Path, help="subjects that are kept out, a line each")
    parser.add_argument("--source", default="", help="the collection's name; else the subject's first part")
    arguments = parser.parse_args()
    if arguments.kind == "closed":
        skip = set(arguments.skip.read_text().split("\n")) if arguments.skip else set()
        closed(arguments.source_folder, arguments.out, skip)
    else:
        opened(arguments.source_folder, arguments.out, arguments.source)


if __name__ == "__main__":
    main()
