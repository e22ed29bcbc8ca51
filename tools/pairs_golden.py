#!/usr/bin/env python3
"""Golden numbers for `fersnet pairs`, by the Python program that it follows.

    python tools/pairs_golden.py REFERENCE PORTRAITS FACEMODEL

REFERENCE holds that program (model.py, face.py, smile.py), PORTRAITS the Face Research Lab London portraits with
their mesh points (landmarks.safetensors, in 1/16 pixel). Writes tests/golden/pairs.safetensors: of three persons
the mesh, what was fitted, and of the first one a drawn picture. No photograph goes into it: what is drawn is a
pattern under the person's mesh. Needs numpy, scipy, numba, opencv and safetensors.
"""

import os
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

# Neutral, a smile with teeth, a smile without.
NEUTRAL = "london/london-001.jpg"
SHOWN = ["london/london-009-smile.jpg", "london/london-003-smile.jpg"]
SIDE = 192
EYES = 54.0
SMILE = {"mouthSmile": 1, "cheekSquint": 0.9, "eyeSquint": 0.3, "mouthUpperUp": 0.5, "jawOpen": 0.1, "mouthLowerDown": 0.3}


def pattern():
    """Smooth stripes, the same in tests/pairs.rs."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    planes = [128 + 60 * np.sin(x / 9) + 30 * np.cos(y / 7), 128 + 70 * np.sin((x + y) / 11), 128 + 70 * np.cos(y / 8)]
    return np.rint(np.stack(planes, -1)).astype(np.float32)


def main():
    reference, portraits, model = sys.argv[1:]
    os.environ["FACEMODEL"] = model
    sys.path.insert(0, reference)
    import face
    import smile
    from model import INDEX, MP68, NAMES, units

    with safe_open(pathlib.Path(portraits) / "landmarks.safetensors", "np") as file:
        meshes = {name: file.get_tensor(name).astype(np.float64) / 16 for name in [NEUTRAL, *SHOWN]}
    golden = {}
    for i, name in enumerate([NEUTRAL, *SHOWN]):
        mesh = meshes[name][:, :2]
        landmarks = mesh[MP68]
        if i == 0:
            identity, _, rms = face.fit(landmarks)
            shown = {}
        else:
            identity, shown, _, rms = smile.fit(landmarks)
        eyes = np.hypot(*(landmarks[36:42].mean(0) - landmarks[42:48].mean(0)))
        weights = np.zeros(len(NAMES), np.float32)
        for unit, weight in shown.items():
            weights[INDEX[unit]] = weight
        golden[f"mesh.{i}"] = mesh[:468].astype(np.float32)
        golden[f"identity.{i}"] = identity.astype(np.float32)
        golden[f"units.{i}"] = weights
        golden[f"rms.{i}"] = np.array([rms / eyes], np.float32)
    # The first person's mesh over the pattern, its eyes EYES pixels apart.
    mesh = meshes[NEUTRAL]
    eyes = [mesh[MP68[a:b], :2].mean(0) for a, b in ((36, 42), (42, 48))]
    scale = EYES / np.hypot(*(eyes[1] - eyes[0]))
    mesh = mesh * scale
    mesh[:, :2] += np.array([0.5, 0.4]) * SIDE - (eyes[0] + eyes[1]) / 2 * scale
    mesh = mesh.astype(np.float32).astype(np.float64)
    drawn, _ = face.Face(pattern(), mesh, MP68).express(units(SMILE))
    golden["drawn.mesh"] = mesh[:468, :2].astype(np.float32)
    golden["drawn"] = np.rint(drawn).astype(np.uint8)
    out = pathlib.Path(__file__).parent.parent / "tests/golden/pairs.safetensors"
    save_file({name: np.ascontiguousarray(value) for name, value in golden.items()}, out)


if __name__ == "__main__":
    main()
