"""The hue of photographed teeth against that of the eyes' white and of the skin: RED and BLUE of src/painter/compose.rs.

    python tools/tooth_hue.py PAIRS    # a set of `fersnet pairs` whose photos smile: p-photo of weights/fersnet/sets.md

Teeth are the median of the brightest two fifths inside of a mouth, white and skin are found as in src/painter/tones.rs.
Grey photos, small mouths and dark ones are left out. Needs numpy and Pillow.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114])
EYE_DISTANCE = 35 / 96  # in face widths
EYES = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")


def tones(row, folder):
    """Teeth, white and skin of one photo; none where it teaches nothing."""
    image = np.asarray(Image.open(folder / row["file"]).convert("RGB"), np.float32) / 255
    if np.abs(image - image.mean(2, keepdims=True)).mean() < 0.01:
        return None
    size = image.shape[1::-1]
    inside = np.asarray(Image.open(folder / row["cavity"]).convert("L").resize(size)) > 0.9 * 255
    pixels = image[inside]
    if len(pixels) < 150:
        return None
    light = pixels @ LUMA
    teeth = np.median(pixels[light >= np.quantile(light, 0.6)], 0)
    if teeth @ LUMA < 0.25:
        return None
    left_x, left_y, right_x, right_y = (float(row[key]) for key in EYES)
    width = abs(left_x - right_x) / EYE_DISTANCE
    middle = np.array([left_x + right_x, left_y + right_y]) / 2

    def box(x, y, half_width, half_height):
        rows = slice(int(y - half_height), int(y + half_height))
        return image[rows, int(x - half_width) : int(x + half_width)].reshape(-1, 3)

    cheeks = [
        box(middle[0] + side * 0.19 * width, middle[1] + 0.19 * width, 0.045 * width, 0.045 * width)
        for side in (-1, 1)
    ]
    whites = []
    for x, y in ((left_x, left_y), (right_x, right_y)):
        eye = box(x, y, 0.075 * width, 0.035 * width)
        whiteness = eye @ LUMA - 0.5 * (eye.max(1) - eye.min(1))
        whites.append(eye[np.argsort(-whiteness)[: int(np.ceil(0.12 * len(eye)))]])
    return teeth, np.concatenate(whites).mean(0), np.concatenate(cheeks).mean(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    folder = parser.parse_args().pairs
    with open(folder / "manifest.csv", newline="") as file:
        photos = [row for row in csv.DictReader(file) if row["sample"] == "photo" and row["cavity"]]
    found = [found for row in photos if (found := tones(row, folder)) is not None]
    teeth, white, skin = (np.array(column) for column in zip(*found))
    print(f"{len(found)} photos; teeth are {np.median(teeth @ LUMA / (white @ LUMA)):.2f} times as light as the white")
    for channel, name in ((0, "red"), (2, "blue")):
        hue = [np.log(tone[:, channel] / tone[:, 1]) for tone in (teeth, white, skin)]
        inputs = np.stack(hue[1:], 1)
        powers, *_ = np.linalg.lstsq(inputs, hue[0], rcond=None)
        rest = hue[0] - inputs @ powers
        tenth = np.exp(np.quantile(rest, 0.1))
        yellower = np.mean(hue[0] <= 1.4 * (inputs @ powers))
        print(f"{name}: powers {powers.round(2)} of white and skin, remainder {rest.std():.3f}; a tenth below", end=" ")
        print(f"{tenth:.2f} times the fit, {yellower:.0%} at or below 1.4 times its powers")


if __name__ == "__main__":
    main()
