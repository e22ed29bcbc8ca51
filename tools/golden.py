#!/usr/bin/env python3
"""Writes tests/golden/: FERSNet's weights and outputs as PyTorch computes them.

Our own reference implementation of both editions, written from the facts of the paper and of the
authors' release: plain graphs with concatenations, evaluation mode, float32 on the CPU. The Rust
tests build the same networks and compare. Needs torch 2.9.0, numpy and safetensors:

    python tools/golden.py            # tests/golden/ anew (a fixed seed for each case)

For each case there is `NAME.expected.safetensors` with the input (`x`, bytes: value * 255), the
targets (`target`), `logits`, `face`, `gates.{fer,fes}.{i}.{r,z}` (stored as round(65535 * g)), with
controls `units`, with a head other than raw `mask` and `flow`, and with a blend head `delta`. To keep
the files small, of most pictures only every third row is stored (`row_step`). The metadata holds the case, the parameter and multiply-add
counts, and where no weight file lies beside it (`NAME.weights.safetensors`) the rule
by which both sides make the weights.
"""

import argparse
import json
import math
import pathlib
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FACE = 96
FLOW_SCALE = 0.05
SHADE_SCALE = 0.1
SHADE_SIDE = 9
CLASSES = {
    6: ["anger", "disgust", "fear", "happiness", "sadness", "surprise"],
    7: ["anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"],
    8: ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"],
}
CONTROLS = ["browInnerUpLeft", "jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight"]


def head_channels(head, k):
    return {"raw": k, "residual": k + 1, "warp": k + 3, "blend": 2 * k + 3}[head]


def target_width(case):
    """Length of a target: over the controls, or over the classes where there are none."""
    return len(case.get("controls") or case["classes"])


def draw(head, x, out):
    """From the decoder's last convolution to the face (and mask, flow, delta and shade)."""
    k = x.shape[1]
    if head == "raw":
        return {"face": out}
    x = x.expand(out.shape[0], -1, -1, -1)
    mask = torch.sigmoid(out[:, k : k + 1])
    delta = mask * out[:, :k]
    if head == "residual":
        return {"face": x + delta, "mask": mask}
    flow = FLOW_SCALE * out[:, k + 1 : k + 3]  # x then y, in units of the width
    rows = torch.arange(FACE, dtype=torch.float32)
    centre = (2 * rows + 1) / FACE - 1
    own_y, own_x = torch.meshgrid(centre, centre, indexing="ij")
    grid = torch.stack([own_x + 2 * flow[:, 0], own_y + 2 * flow[:, 1]], dim=-1)
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    if head == "warp":
        return {"face": moved + delta, "mask": mask, "flow": flow}
    smooth = F.avg_pool2d(out[:, k + 3 :], SHADE_SIDE, 1, SHADE_SIDE // 2, count_include_pad=False)
    shade = SHADE_SCALE * smooth
    return {
        "face": (1 - mask) * (moved + shade) + delta, "mask": mask, "flow": flow,
        "delta": (1 - mask) * shade + delta, "shade": shade,
    }


class ConvFlu(nn.Module):
    """One direction: x receives, y is read."""

    def __init__(self, channels, kernel, names):
        super().__init__()
        pad = kernel // 2
        self.r_name, self.z_name, self.u_name, self.w_name = names
        for name, inputs in zip(names, (2 * channels, 2 * channels, channels, channels)):
            setattr(self, name, nn.Conv2d(inputs, channels, kernel, padding=pad, bias=False))

    def forward(self, x, y, z_takes_candidate):
        both = torch.cat([x, y], 1)
        r = torch.sigmoid(getattr(self, self.r_name)(both))
        z = torch.sigmoid(getattr(self, self.z_name)(both))
        h = torch.tanh(getattr(self, self.u_name)(x) + getattr(self, self.w_name)(r * y))
        out = (1 - z) * x + z * h if z_takes_candidate else z * x + (1 - z) * h
        return out, r, z


# ----------------------------------------------------------------------------- 2020 edition


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.max_pool2d(x, 2)


class Classifier2020(nn.Module):
    def __init__(self, c, e, controls):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3)
        self.bn = nn.BatchNorm2d(c)
        self.linear = nn.Linear(c, e)
        self.units = nn.Linear(c, controls) if controls else None

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x))).flatten(1)
        return self.linear(x), None if self.units is None else self.units(x)


class Transformer(nn.Module):
    def __init__(self, e, m):
        super().__init__()
        self.linear = nn.Linear(e, m)
        self.deconv = nn.ConvTranspose2d(m, m, 3, bias=False)
        self.bn = nn.BatchNorm2d(m)
        self.conv = nn.Conv2d(m, m, 1, bias=False)

    def forward(self, p):
        x = F.relu(self.linear(p))[:, :, None, None]
        return self.conv(F.relu(self.bn(self.deconv(x))))


class Up2020(nn.Module):
    def __init__(self, inputs, outputs, last, beside=0):
        super().__init__()
        self.deconv = nn.ConvTranspose2d(inputs, inputs, 2, stride=2)
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv2 = nn.Conv2d(inputs + beside, outputs, 3, padding=1)
        self.bn2 = None if last else nn.BatchNorm2d(outputs)

    def forward(self, x, beside=None):
        x = F.relu(self.bn1(self.conv1(self.deconv(x))))
        if beside is not None:
            x = torch.cat([beside.expand(len(x), -1, -1, -1), x], 1)
        x = self.conv2(x)
        return x if self.bn2 is None else F.relu(self.bn2(x))


class Decoder2020(nn.Module):
    def __init__(self, c, k, head):
        super().__init__()
        self.reduce = nn.ModuleDict(
            {"conv": nn.Conv2d(3 * c, 2 * c, 3, padding=1), "bn": nn.BatchNorm2d(2 * c)}
        )
        widths = [2 * c, 2 * c, c, c // 2, c // 4, head_channels(head, k)]
        beside = c // 4 if head == "blend" else 0
        self.up = nn.ModuleList(
            Up2020(widths[i], widths[i + 1], i == 4, beside if i == 4 else 0) for i in range(5)
        )
        self.picture = nn.Conv2d(k, beside, 3, padding=1) if beside else None

    def forward(self, faces, x):
        x = F.relu(self.reduce["bn"](self.reduce["conv"](x)))
        for step in self.up[:4]:
            x = step(x)
        own = None if self.picture is None else F.leaky_relu(self.picture(faces), 0.2)
        return self.up[4](x, own)


class Paper2020(nn.Module):
    def __init__(self, case):
        super().__init__()
        c, k, e = case["width"], case["channels"], len(case["classes"])
        self.case = case
        names = ("w_r", "w_z", "u", "w")
        self.pairs = 3 + case.get("fourth_pair", False) if case["variant"] == "fersnet" else 0
        units = min(1, self.pairs) if case.get("tied_pairs") else self.pairs
        self.stem = ConvBlock(k, c)
        self.fer = nn.ModuleList(ConvBlock(c, c) for _ in range(4))
        if case["variant"] == "fersnet":
            self.fes = nn.ModuleList(ConvBlock(c, c) for _ in range(4))
            self.flu_fer = nn.ModuleList(ConvFlu(c, 3, names) for _ in range(units))
            self.flu_fes = nn.ModuleList(ConvFlu(c, 3, names) for _ in range(units))
        self.classifier = Classifier2020(c, e, len(case.get("controls", [])))
        if case["variant"] != "single":
            self.transformer = Transformer(target_width(case), 2 * c)
            self.decoder = Decoder2020(c, k, case["head"])

    def encode(self, x):
        gates = {}
        f = g = self.stem(x)
        for i in range(4):
            f = self.fer[i](f)
            if self.case["variant"] != "fersnet":
                g = f
                continue
            g = self.fes[i](g)
            if i < self.pairs:
                unit = min(i, len(self.flu_fer) - 1)
                f_next, gates[f"gates.fer.{i}.r"], gates[f"gates.fer.{i}.z"] = self.flu_fer[unit](f, g, True)
                g_next, gates[f"gates.fes.{i}.r"], gates[f"gates.fes.{i}.z"] = self.flu_fes[unit](g, f, True)
                f, g = f_next, g_next
        return self.classifier(f), g, gates

    def decode(self, x, g, p):
        wanted = self.transformer(p)
        return self.decoder(x, torch.cat([g.expand(len(p), -1, -1, -1), wanted], 1))


# ----------------------------------------------------------------------------- 2021 edition


class Residual(nn.Module):
    def __init__(self, inputs, outputs, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = norm(outputs)
        self.downsample = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else None

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class Noise(nn.Module):
    """In the authors' checkpoints; its strength is 0 unless training raised it."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class Style(nn.Module):
    def __init__(self, channels, e, noise):
        super().__init__()
        self.style_1d = nn.Linear(e, 2 * channels)
        if noise:
            self.noise = Noise()

    def forward(self, f, p):
        gamma, beta = self.style_1d(p)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(f) * gamma + beta


class UpWithSkip(nn.Module):
    def __init__(self, inputs, outputs, e, noise):
        super().__init__()
        self.transform = Style(outputs, e, noise)
        self.model = nn.ModuleDict({"0": nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)})

    def forward(self, x, skip, p):
        x = F.relu(F.instance_norm(self.model["0"](x)))
        return torch.cat([x, self.transform(skip, p).expand(len(x), -1, -1, -1)], 1)


class Decoder2021(nn.Module):
    def __init__(self, n, k, e, head, noise):
        super().__init__()
        self.module = nn.ModuleDict()
        self.transform = Style(8 * n, e, noise)
        sees_picture = head == "blend"
        self.out_layer = nn.Conv2d(2 * n if sees_picture else n, head_channels(head, k), 3, padding=1)
        self.picture = nn.Conv2d(k, n, 3, padding=1) if sees_picture else None
        steps = [
            # transposed convolution in, out; first and second convolution in, out
            (8 * n, 8 * n, (16 * n, 8 * n), (8 * n, 8 * n)),
            (8 * n, 4 * n, (8 * n, 8 * n), (8 * n, 4 * n)),
            (4 * n, 2 * n, (4 * n, 4 * n), (4 * n, 2 * n)),
            (2 * n, n, (2 * n, 2 * n), (2 * n, 2 * n)),
        ]
        at = 0
        for inputs, outputs_up, first, second in steps:
            self.module[str(at)] = UpWithSkip(inputs, outputs_up, e, noise)
            self.module[str(at + 1)] = nn.Conv2d(*first, 3, padding=1)
            self.module[str(at + 4)] = nn.Conv2d(*second, 3, padding=1)
            at += 7
        self.module[str(at)] = nn.ConvTranspose2d(2 * n, n, 4, 2, 1, bias=False)
        self.module[str(at + 3)] = nn.Conv2d(n, n, 3, padding=1)
        self.module[str(at + 6)] = nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x, y, skips, p):
        y = self.transform(y, p)
        skips = list(skips)
        for layer in self.module.values():
            if isinstance(layer, UpWithSkip):
                y = layer(y, skips.pop(), p)
            else:
                y = F.leaky_relu(F.instance_norm(layer(y)), 0.2)
        if self.picture is not None:
            own = F.leaky_relu(self.picture(x), 0.2)
            y = torch.cat([own.expand(len(y), -1, -1, -1), y], 1)
        return self.out_layer(y)


class Classifier2021(nn.Module):
    def __init__(self, c, e, controls):
        super().__init__()
        self.pooling = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c))
        self.classifier = nn.Linear(c, e)
        self.units = nn.Linear(c, controls) if controls else None

    def forward(self, x):
        x = F.relu(self.pooling(x)).mean(dim=(2, 3))
        return self.classifier(x), None if self.units is None else self.units(x)


class Release2021(nn.Module):
    def __init__(self, case, noise=False):
        super().__init__()
        n, k, e = case["width"], case["channels"], len(case["classes"])
        self.case = case
        both = case["variant"] == "fersnet"
        self.stem = nn.Sequential(nn.Conv2d(k, n, 3, padding=1), nn.BatchNorm2d(n))
        names = ("W_r", "W_z", "U", "W")
        no_norm = lambda channels: nn.InstanceNorm2d(channels)  # noqa: E731
        for level in (1, 2, 3):
            inputs, outputs = n << (level - 1), n << level
            setattr(self, f"conv{level}x", Residual(inputs, outputs, nn.BatchNorm2d))
            if both:
                setattr(self, f"conv{level}y", Residual(inputs, outputs, no_norm))
                setattr(self, f"leakyunitxy{level}", ConvFlu(outputs, 1, names))
                setattr(self, f"leakyunityx{level}", ConvFlu(outputs, 1, names))
        joint = (16 if both else 8) * n
        self.conv4xy = Residual(joint, joint, nn.BatchNorm2d)
        self.classifier = Classifier2021(8 * n, e, len(case.get("controls", [])))
        if case["variant"] != "single":
            self.decoder = Decoder2021(n, k, target_width(case), case["head"], noise)

    def encode(self, x):
        gates = {}
        f = g = F.max_pool2d(F.relu(self.stem(x)), 2)
        skips = [g]
        for level in (1, 2, 3):
            f = F.max_pool2d(getattr(self, f"conv{level}x")(f), 2)
            if self.case["variant"] == "fersnet":
                i = level - 1
                g = F.max_pool2d(getattr(self, f"conv{level}y")(g), 2)
                f_next, gates[f"gates.fer.{i}.r"], gates[f"gates.fer.{i}.z"] = getattr(
                    self, f"leakyunitxy{level}"
                )(f, g, False)
                g_next, gates[f"gates.fes.{i}.r"], gates[f"gates.fes.{i}.z"] = getattr(
                    self, f"leakyunityx{level}"
                )(g, f, False)
                f, g = f_next, g_next
            else:
                g = f
            skips.append(g)
        joined = torch.cat([f, g], 1) if self.case["variant"] == "fersnet" else f
        joined = F.max_pool2d(self.conv4xy(joined), 2)
        half = f.shape[1]
        return self.classifier(joined[:, :half]), (joined[:, -half:], skips), gates

    def decode(self, x, features, p):
        return self.decoder(x, *features, p)


def build(case, noise=False):
    return Paper2020(case) if case["edition"] == "2020" else Release2021(case, noise)


def forward(net, x, p):
    (logits, units), features, gates = net.encode(x)
    out = {"logits": logits, **gates}
    if units is not None:
        out["units"] = units
    if net.case["variant"] != "single":
        out |= draw(net.case["head"], x, net.decode(x, features, p))
    return out


class Discriminator(nn.Module):
    def __init__(self, k, e):
        super().__init__()
        inputs = [k + e, 64, 128, 256]
        outputs = [64, 128, 256, 512]
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip(inputs, outputs))
        self.score = nn.Conv2d(512, 1, 4, padding=1)

    def forward(self, face, label):
        maps = label[:, :, None, None].expand(-1, -1, FACE, FACE)
        x = torch.cat([face, maps], 1)
        for i, conv in enumerate(self.convs):
            x = conv(x)
            if i > 0:
                x = F.instance_norm(x)
            x = F.leaky_relu(x, 0.2)
        return self.score(F.pad(x, (1, 0, 1, 0)))


# ----------------------------------------------------------------------------- weights


def is_batch_norm(net, name):
    return isinstance(net.get_submodule(name.rpartition(".")[0]), nn.BatchNorm2d)


def randomise(net, case, generator):
    """Random weights; BatchNorm statistics measured on random faces, then shaken."""

    def normal(shape):
        return torch.randn(shape, generator=generator)

    def uniform(shape, low, high):
        return low + (high - low) * torch.rand(shape, generator=generator)

    for name, p in net.named_parameters():
        if name.endswith("noise.weight"):
            continue
        if is_batch_norm(net, name):
            p.data = uniform(p.shape, 0.6, 1.5) if name.endswith("weight") else 0.3 * normal(p.shape)
        elif p.dim() == 4:
            module = net.get_submodule(name.rpartition(".")[0])
            inputs = p.shape[0] if isinstance(module, nn.ConvTranspose2d) else p.shape[1]
            area = p.shape[2] * p.shape[3]
            if isinstance(module, nn.ConvTranspose2d) and module.stride[0] == 2:
                area /= 4
            p.data = math.sqrt(1.7 / (inputs * area)) * normal(p.shape)
        elif p.dim() == 2:
            p.data = normal(p.shape) * (math.sqrt(1.5 / p.shape[1]) if "style" not in name else 0.5)
        else:
            p.data = 0.2 * normal(p.shape)
        if "style_1d.bias" in name:
            p.data[: len(p) // 2] += 1.0  # gamma around 1
    if case["variant"] != "single":
        # A face like a picture: small weights, bias in the middle (and the mask half closed).
        last = net.decoder.up[4].conv2 if case["edition"] == "2020" else net.decoder.out_layer
        last.weight.data *= 0.4
        last.bias.data[: case["channels"]] += 0.5
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    net.train()
    e = target_width(case)
    faces = torch.rand((6, case["channels"], FACE, FACE), generator=generator)
    forward(net, faces, torch.softmax(3 * normal((6, e)), 1))
    net.eval()
    for norm in norms:
        scale = norm.running_var.sqrt()
        norm.running_mean += 0.3 * scale * normal(scale.shape)
        norm.running_var *= uniform(scale.shape, 0.6, 1.7)
        norm.running_var += 1e-3


def pattern(name, shape, salt):
    """Values in [-1, 1) that both sides can make: a mixed 32-bit hash of name and index."""
    count = math.prod(shape)
    h = (np.arange(count, dtype=np.uint64) * 0x9E3779B1 + (zlib.crc32(name.encode()) ^ salt)) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h ^= h >> shift
        h = (h * factor) & 0xFFFFFFFF
    h ^= h >> 16
    values = (h >> 8).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)
    return torch.from_numpy(values.reshape(shape))


def is_last(case_, name):
    return case_ is not None and name == (
        "decoder.up.4.conv2.weight" if case_["edition"] == "2020" else "decoder.out_layer.weight"
    )


def from_pattern(net, case_=None, salt=0):
    """Weights by rule: name -> [offset, scale] of the pattern; returned for the metadata."""
    rules = {}
    for name, p in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        owner = net.get_submodule(name.rpartition(".")[0])
        offset, scale = 0.0, 0.2
        if isinstance(owner, nn.BatchNorm2d):
            leaf = name.rpartition(".")[2]
            offset, scale = {
                "weight": (1.1, 0.4), "bias": (0.0, 0.4),
                "running_mean": (0.0, 0.3), "running_var": (1.0, 0.5),
            }[leaf]
        elif p.dim() == 4:
            transposed = isinstance(owner, nn.ConvTranspose2d)
            inputs = p.shape[0] if transposed else p.shape[1]
            area = p.shape[2] * p.shape[3] / (4 if transposed and owner.stride[0] == 2 else 1)
            gain = 1.0 if transposed else 1.5
            if is_last(case_, name):
                gain = 0.2
            scale = math.sqrt(3 * gain / (inputs * area))  # a uniform value's deviation is scale / sqrt(3)
        elif p.dim() == 2:
            scale = math.sqrt(3 * 1.5 / p.shape[1]) if "style" not in name else 0.8
        scale = float(np.float32(scale))
        p.copy_(np.float32(offset) + np.float32(scale) * pattern(name, tuple(p.shape), salt))
        rules[name] = {"shape": list(p.shape), "offset": float(np.float32(offset)), "scale": scale}
    return rules


def stored_as(tensor, store):
    """`store`: f32; f16 = matrices in f16, vectors whole (as the crate writes); all-f16; bf16."""
    if store == "f32" or (store == "f16" and tensor.dim() < 2):
        return tensor.contiguous()
    return tensor.to({"f16": torch.float16, "all-f16": torch.float16, "bf16": torch.bfloat16}[store])


def round_weights(net, store):
    stored = {}
    for name, tensor in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        stored[name] = stored_as(tensor, store)
        tensor.copy_(stored[name].float())
    return stored


# ----------------------------------------------------------------------------- counts


def count(net, case):
    """Parameters; multiply-adds of the encoder (one face) and of the decoder (one target)."""
    macs = {"encoder": 0, "decoder": 0}
    phase = "encoder"

    def hook(module, inputs, output):
        if isinstance(module, nn.Linear):
            macs[phase] += module.in_features * module.out_features
        elif isinstance(module, nn.ConvTranspose2d):
            macs[phase] += module.weight.numel() * inputs[0].shape[2] * inputs[0].shape[3]
        elif isinstance(module, nn.Conv2d):
            macs[phase] += module.weight.numel() * output.shape[2] * output.shape[3]

    handles = [m.register_forward_hook(hook) for m in net.modules()]
    x = torch.zeros((1, case["channels"], FACE, FACE))
    p = torch.zeros((1, target_width(case)))
    _, features, _ = net.encode(x)
    if case["variant"] != "single":
        phase = "decoder"
        net.decode(x, features, p)
    for handle in handles:
        handle.remove()
    parameters = sum(p.numel() for name, p in net.named_parameters() if "noise" not in name)
    return {"parameters": parameters, "encoder_macs": macs["encoder"], "decoder_macs": macs["decoder"]}


# ----------------------------------------------------------------------------- cases


def case(name, edition, variant, width, k, e, head="raw", store="f32", batch=1, targets=None, **options):
    return {
        "name": name, "edition": edition, "variant": variant, "width": width, "channels": k,
        "classes": CLASSES[e], "head": head, "store": store, "batch": batch,
        "targets": targets or batch, **options,
    }


CASES = [
    case("2020-fersnet-4-grey", "2020", "fersnet", 4, 1, 7, row_step=1),
    case("2020-fersnet-8-rgb-residual", "2020", "fersnet", 8, 3, 8, head="residual", store="f16"),
    case("2020-fersnet-16-grey", "2020", "fersnet", 16, 1, 6, store="pattern", gates=False),
    case("2020-fersnet-64-grey", "2020", "fersnet", 64, 1, 7, store="pattern", gates=False),
    case("2020-fersnet-4-fourth-pair", "2020", "fersnet", 4, 1, 7, store="f16", fourth_pair=True),
    case("2020-fersnet-4-tied-pairs", "2020", "fersnet", 4, 1, 7, store="f16", tied_pairs=True),
    case("2020-fersnet-8-tied-fourth", "2020", "fersnet", 8, 1, 6, store="pattern", tied_pairs=True, fourth_pair=True, gates=False),
    case("2020-fersnet-4-warp", "2020", "fersnet", 4, 1, 8, head="warp", store="bf16"),
    case("2020-hard-8-grey", "2020", "hard", 8, 1, 7, store="f16"),
    case("2020-hard-4-rgb-warp", "2020", "hard", 4, 3, 6, head="warp", store="f16"),
    case("2020-single-4-rgb", "2020", "single", 4, 3, 6),
    case("2020-single-16-grey", "2020", "single", 16, 1, 8, store="pattern", batch=2),
    case("2021-fersnet-1-grey", "2021", "fersnet", 1, 1, 6, row_step=1),
    case("2021-fersnet-2-rgb", "2021", "fersnet", 2, 3, 6, store="f16"),
    case("2021-fersnet-2-two-faces", "2021", "fersnet", 2, 1, 7, store="all-f16", batch=2, gates=False),
    case("2021-fersnet-3-rgb-residual", "2021", "fersnet", 3, 3, 8, head="residual", store="pattern", gates=False),
    case("2021-fersnet-4-warp", "2021", "fersnet", 4, 1, 8, head="warp", store="pattern", gates=False),
    case("2021-fersnet-8-rgb-residual", "2021", "fersnet", 8, 3, 8, head="residual", store="pattern", gates=False),
    case("2021-fersnet-24-grey", "2021", "fersnet", 24, 1, 7, store="pattern", gates=False),
    case("2021-hard-2-rgb-residual", "2021", "hard", 2, 3, 7, head="residual", store="f16"),
    case("2021-hard-8-grey", "2021", "hard", 8, 1, 6, store="pattern"),
    case("2021-single-2-grey", "2021", "single", 2, 1, 8, store="f16"),
    case("2021-single-4-rgb", "2021", "single", 4, 3, 7, store="pattern", batch=2),
    # One face, three targets: the encoder's work is shared.
    case("2021-fersnet-2-three-targets", "2021", "fersnet", 2, 1, 7, store="pattern", targets=3, gates=False),
    case("2020-fersnet-4-three-targets", "2020", "fersnet", 4, 1, 7, store="pattern", targets=3, gates=False),
    # The blend head, and targets over controls.
    case("2020-fersnet-4-blend", "2020", "fersnet", 4, 1, 7, head="blend", store="f16", gates=False),
    case("2020-fersnet-8-blend-controls", "2020", "fersnet", 8, 3, 8, head="blend", store="pattern", targets=2, gates=False, controls=CONTROLS),
    case("2020-fersnet-4-warp-controls", "2020", "fersnet", 4, 3, 6, head="warp", store="pattern", targets=2, gates=False, controls=CONTROLS),
    case("2020-hard-4-blend-controls", "2020", "hard", 4, 1, 8, head="blend", store="f16", batch=2, controls=CONTROLS),
    case("2020-single-4-controls", "2020", "single", 4, 1, 7, store="pattern", batch=2, controls=CONTROLS),
    case("2021-fersnet-3-blend", "2021", "fersnet", 3, 3, 7, head="blend", store="pattern", gates=False),
    case("2021-fersnet-2-blend-controls", "2021", "fersnet", 2, 1, 8, head="blend", store="f16", targets=2, gates=False, controls=CONTROLS),
    case("2021-fersnet-12-blend-controls", "2021", "fersnet", 12, 3, 8, head="blend", store="pattern", targets=2, gates=False, controls=CONTROLS),
    case("2021-fersnet-3-residual-controls", "2021", "fersnet", 3, 1, 6, head="residual", store="pattern", batch=2, gates=False, controls=CONTROLS),
    case("2021-hard-2-blend-controls", "2021", "hard", 2, 3, 7, head="blend", store="f16", controls=CONTROLS),
    case("2021-single-2-controls", "2021", "single", 2, 3, 8, store="pattern", controls=CONTROLS),
]
CONFIG_KEYS = ("edition", "variant", "width", "channels", "classes", "head", "fourth_pair", "tied_pairs", "controls")


def picture(batch, k, generator):
    """Smooth random faces with some grain, as bytes."""
    coarse = torch.rand((batch, k, 12, 12), generator=generator)
    smooth = F.interpolate(coarse, (FACE, FACE), mode="bicubic", align_corners=False)
    grain = torch.rand((batch, k, FACE, FACE), generator=generator) - 0.5
    return ((smooth + 0.15 * grain).clamp(0, 1) * 255).round().to(torch.uint8)


def targets(count_, e, generator):
    """One whole expression, then mixtures of two."""
    rows = torch.zeros((count_, e))
    for i in range(count_):
        a, b = torch.randperm(e, generator=generator)[:2].tolist()
        rows[i, a], rows[i, b] = (1.0, 0.0) if i == 0 else (0.625, 0.375)
    return rows


def control_targets(count_, k, generator):
    """Values from 0 to 1.2, every third control at rest."""
    rows = 1.2 * torch.rand((count_, k), generator=generator)
    rows[:, ::3] = 0.0
    return rows


def check(name, out):
    """A golden output that is saturated, constant or huge would test nothing, or too much."""
    logits = out["logits"]
    assert logits.isfinite().all() and 0.1 < logits.std() and logits.abs().max() < 8, (name, logits)
    if "face" in out:
        face = out["face"]
        assert face.isfinite().all() and 0.04 < face.std() and face.abs().max() < 5, (name, face.std(), face.abs().max())
    for key, value in out.items():
        if key.startswith("gates") or key == "mask":
            mean, std = value.mean().item(), value.std().item()
            assert 0.1 < mean < 0.9 and std > 0.02, (name, key, mean, std)
    if "flow" in out:
        assert 0.005 < out["flow"].abs().max() < 1.0, (name, out["flow"].abs().max())
    if "units" in out:
        assert 0.1 < out["units"].std() and out["units"].abs().max() < 8, (name, out["units"])
    if "shade" in out:
        assert 0.003 < out["shade"].std() < 0.2, (name, out["shade"].std())


def attempt(c, config, seed):
    """One draw of weights, input and targets; returns (metadata, weights or None, tensors)."""
    generator = torch.Generator().manual_seed(seed)
    net = build(c).eval()
    meta = {"case": c["name"], "config": config, "cost": count(net, c)}
    weights = None
    if c["store"] == "pattern":
        meta["pattern"] = from_pattern(net, c, seed)
        meta["salt"] = seed
    else:
        randomise(net, c, generator)
        weights = round_weights(net, c["store"])
        meta["weights"] = f"{c['name']}.weights.safetensors"
    x = picture(c["batch"], c["channels"], generator)
    make_targets = control_targets if c.get("controls") else targets
    p = make_targets(c["targets"], target_width(c), generator)
    out = forward(net, x.float() / 255, p)
    check(c["name"], out)
    out.pop("shade", None)  # what is stored of it is `delta`
    return meta, weights, {"x": x, "target": p, **out}


def run_case(c, folder):
    config = {key: c[key] for key in CONFIG_KEYS if key in c}
    for seed in range(50):
        try:
            meta, weights, tensors = attempt(c, config, zlib.crc32(c["name"].encode()) ^ seed)
            break
        except AssertionError as failure:
            complaint = failure
    else:
        raise complaint
    if weights:
        save_file(weights, folder / meta["weights"], {"fersnet": json.dumps(config)})
    row_step = c.get("row_step", 3)
    meta["row_step"] = row_step
    stored = {}
    for key, value in tensors.items():
        if key in ("face", "mask", "flow", "delta"):
            stored[key] = value[:, :, ::row_step].contiguous()
        elif not key.startswith("gates"):
            stored[key] = value.contiguous()
        elif c.get("gates", True):
            stored[key] = (value * 65535).round().to(torch.int32).to(torch.uint16)
    save_file(stored, folder / f"{c['name']}.expected.safetensors", {"golden": json.dumps(meta)})
    face = tensors.get("face", torch.zeros(2))
    print(
        f"{c['name']:32} draw {seed:2}  {meta['cost']['parameters']:9} parameters"
        f"  logits {tensors['logits'].std():.2f}  face {face.mean():.2f} +- {face.std():.2f}"
    )


def run_discriminator(folder):
    generator = torch.Generator().manual_seed(5)
    net = Discriminator(3, 7).eval()
    rules = from_pattern(net)
    x = picture(2, 3, generator)
    p = targets(2, 7, generator)
    scores = net(x.float() / 255, p)
    assert scores.shape == (2, 1, 6, 6) and scores.std() > 0.1
    meta = {"discriminator": True, "pattern": rules}
    save_file(
        {"x": x, "target": p, "scores": scores.contiguous()},
        folder / "discriminator.safetensors",
        {"golden": json.dumps(meta)},
    )


def authors_attempt(c, seed):
    """The authors' network as they save it (noise weights, counters), and its outputs."""
    generator = torch.Generator().manual_seed(seed)
    net = build(c, noise=True).eval()
    randomise(net, c, generator)
    x = picture(1, c["channels"], generator)
    p = targets(2, 6, generator)[1:]
    out = forward(net, x.float() / 255, p)
    check(c["name"], out)
    state = {
        key: torch.tensor([0.37]) if key.endswith("noise.weight") else value
        for key, value in net.state_dict().items()
    }
    # The authors read BGR: the converted network sees the same picture as RGB.
    flipped = {"x": x.flip(1), "target": p, "logits": out["logits"], "face": out["face"].flip(1)}
    return state, {key: value.contiguous() for key, value in flipped.items()}


def run_authors(folder):
    """Checkpoints with the authors' names: BGR, zip; grey, nested, DataParallel, legacy."""
    for name, n, k in (("authors-tiny", 2, 3), ("authors-legacy", 1, 1)):
        c = case(name, "2021", "fersnet", n, k, 6)
        for seed in range(50):
            try:
                state, tensors = authors_attempt(c, seed)
                break
            except AssertionError as failure:
                complaint = failure
        else:
            raise complaint
        path = folder / f"{name}.pth"
        if name == "authors-legacy":
            nested = {"epoch": 12, "state_dict": {f"module.{key}": v for key, v in state.items()}}
            torch.save(nested, path, _use_new_zipfile_serialization=False)
        else:
            torch.save(state, path)
        save_file(
            tensors,
            folder / f"{name}.converted.safetensors",
            {"golden": json.dumps({"checkpoint": path.name})},
        )


def run_refused(folder):
    """Checkpoints that must be refused, each for its own reason."""
    stem = torch.zeros(2, 3, 3, 3)
    refused = {
        "another-network": {"fc.weight": torch.zeros(2, 2), "fc.bias": torch.zeros(2)},
        "7-classes": {"stem.0.weight": stem, "classifier.classifier.weight": torch.zeros(7, 16)},
        "half-missing": {"stem.0.weight": stem, "classifier.classifier.weight": torch.zeros(6, 16)},
        "integers": {"stem.0.weight": stem.long()},
        "two-networks": {"net": {"stem.0.weight": stem}, "best": {"stem.0.weight": stem}},
        "two-channels": {"stem.0.weight": torch.zeros(2, 2, 3, 3)},
        "flat-stem": {"stem.0.weight": torch.zeros(4)},
        # A view of one number that claims nine gigabytes.
        "huge-view": {
            "stem.0.weight": torch.zeros(1).expand(1024, 3, 3, 3),
            "conv4xy.conv1.weight": torch.zeros(1).expand(16384, 16384, 3, 3),
        },
    }
    for name, content in refused.items():
        torch.save(content, folder / f"refused-{name}.pth")
    # Not the file's fault: tests/weights.rs says why 21 characters are unlucky.
    torch.save({"stem.0.weight": stem}, folder / "unlucky-21-characters.pth")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    folder = parser.parse_args().out
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.safetensors"), *folder.glob("*.pth")]:
        old.unlink()
    for c in CASES:
        run_case(c, folder)
    run_discriminator(folder)
    run_authors(folder)
    run_refused(folder)
    for file in folder.iterdir():
        file.chmod(0o644)
    total = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{total / 1e6:.2f} MB in {folder}")


if __name__ == "__main__":
    main()
