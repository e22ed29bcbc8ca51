#!/usr/bin/env python3
"""What each part of the controls' training is worth, at small size.

    python tools/ablations.py train NAME --opened OPENED --closed CLOSED --work WORK      one of VARIANTS
    python tools/ablations.py measure NAME --held-out DIR --painter P --work WORK
    python tools/ablations.py table --work WORK                                           all that were measured

OPENED and CLOSED are folders of `fersnet pairs`. All variants have one seed, one schedule and as many samples, and
begin with the encoder of the weights that were shipped before there were controls, which stays as it is. The program is
$FERSNET_BIN, or target/release/fersnet.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

# Weights before controls, in this repository's history.
BEFORE_CONTROLS = "be65220:weights/fersnet.safetensors"

CLASSES = "neutral happiness surprise sadness anger disgust fear contempt".split()
STEPS = 300
COMMON = {
    "network.classes": json.dumps(CLASSES),
    "run.steps": STEPS,
    "batch.labelled": 0,
    "batch.pairs": 32,
    "objective.classification": 0,
    "objective.flow": 1,
    "run.frozen_encoder": "true",
    "optimiser.rate": 2e-3,
    "optimiser.warm_up": 30,
    "run.ema_decay": 0.985,
    "run.checkpoint_every": STEPS,
    "run.sheet_every": 0,
}

# Of each variant: its sets, whether their controls are left out, what differs in its settings.
VARIANTS = {
    "controls": ("opened closed", False, {}),
    "class": ("opened closed", True, {"network.controls": "[]", "objective.units": 0}),
    "class-intensity": ("opened closed", True, {"objective.units": 0}),
    "no-cavity": ("opened closed", False, {"objective.cavity": 0}),
    "no-flow": ("opened closed", False, {"objective.flow": 0}),
    "no-units": ("opened closed", False, {"objective.units": 0}),
    "opened-only": ("opened", False, {}),
    "closed-only": ("closed", False, {}),
    # The opened pairs drawn anew from --portraits every hundred steps.
    "as-it-goes": ("closed", False, {"data.samples": 1, "data.size": 160, "data.redraw_every": 100}),
}

# Of each figure: its title, where it stands among those of the photos, digits, percent.
FIGURES = [
    ("recognised as meant", "recognised_as_target.share", 1, True),
    ("teeth asked, seen", "teeth_asked.share", 1, True),
    ("not asked, not seen", "teeth_not_asked.share", 1, True),
    ("jaw opens", "jaw_opens.share", 1, True),
    ("opening", "jaw_opens.mean", 2, False),
    ("smile closes", "smile_closes.share", 1, True),
    ("torn", "tears.share", 3, True),
    ("person", "identity.redrawn.cosine", 3, False),
    ("sliders, rank", "sliders.spearman", 2, False),
    ("leak", "sliders.leak", 2, False),
]


def run(*call):
    call = [str(part) for part in call]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(call)}\n{done.stderr.strip()}")
    return done.stdout


def fersnet(command, *arguments):
    return run(os.environ.get("FERSNET_BIN", "target/release/fersnet"), command, *arguments)


def without_controls(folder, work):
    """The same set, its manifest without the controls and without the pictures that show no expression."""
    plain = work / f"{folder.name}-plain"
    if (plain / "manifest.csv").exists():
        return plain
    plain.mkdir(parents=True, exist_ok=True)
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.reader(file))
    names = rows[0]
    kept = names.index("back") + 1  # the controls follow
    expression = names.index("expression")
    for entry in folder.iterdir():
        if entry.is_dir() and not (plain / entry.name).exists():
            (plain / entry.name).symlink_to(entry.resolve())
    with open(plain / "manifest.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(row[:kept] for row in rows if row[expression])
    return plain


def control_names(folder):
    with open(folder / "manifest.csv", newline="") as file:
        names = next(csv.reader(file))
    return names[names.index("back") + 1 :]


def train(options):
    sets, is_plain, changes = VARIANTS[options.name]
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    start = work / "before-controls.safetensors"
    if not start.exists():
        start.write_bytes(subprocess.check_output(["git", "show", BEFORE_CONTROLS]))
    folders = [getattr(options, name) for name in sets.split()]
    settings = COMMON | changes
    if "data.samples" in changes:
        if options.portraits is None:
            sys.exit(f"{options.name} draws its pairs itself: give --portraits")
        settings["data.portraits"] = json.dumps([str(options.portraits)])
    if is_plain:
        settings.setdefault("network.controls", json.dumps(control_names(folders[0])))
        folders = [without_controls(folder, work) for folder in folders]
    call = ["--run", work / options.name, "--preset", "controls", "--finetune", start, "--size", 64]
    call += ["--device", options.device, "--plain"]
    for folder in folders:
        call += ["--data", folder]
    for key, value in settings.items():
        call += ["--set", f"{key}={value}"]
    fersnet("train", *call)


def measure(options):
    report = options.work / f"{options.name}{'' if options.painter else '-unpainted'}.json"
    call = ["--weights", options.work / options.name / "weights.safetensors", "--data", options.held_out]
    call += ["--synthesis", "--sliders", 1, "--json"]
    if options.painter:
        call += ["--painter", options.painter]
    report.write_text(fersnet("evaluate", *call))


def figure(report, path, digits, is_share):
    value = report["synthesis"]["in_photo"]
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return "-"
    return f"{100 * value:.{digits}f} %" if is_share else f"{value:.{digits}f}"


def table(options):
    titles = ["variant"] + [title for title, *_ in FIGURES]
    print("| " + " | ".join(titles) + " |")
    print("|" + "---|" * len(titles))
    for name in VARIANTS:
        for suffix in ("", "-unpainted"):
            path = options.work / f"{name}{suffix}.json"
            if path.exists():
                report = json.loads(path.read_text())
                cells = [figure(report, *how) for _, *how in FIGURES]
                print("| " + " | ".join([name + suffix, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for command in (train, measure, table):
        sub = commands.add_parser(command.__name__)
        sub.set_defaults(command=command)
        sub.add_argument("--work", type=Path, required=True)
        if command is table:
            continue
        sub.add_argument("name", choices=VARIANTS)
        if command is train:
            sub.add_argument("--opened", type=Path, required=True)
            sub.add_argument("--closed", type=Path, required=True)
            sub.add_argument("--portraits", type=Path, help="what OPENED was drawn from, for as-it-goes")
            sub.add_argument("--device", default="cpu", help="as fersnet train takes it")
        else:
            sub.add_argument("--held-out", type=Path, required=True)
            sub.add_argument("--painter", type=Path, help="without it mouths stay as the network paints them")
    options = parser.parse_args()
    options.command(options)


if __name__ == "__main__":
    main()
