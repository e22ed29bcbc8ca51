#!/usr/bin/env python3
"""A training step of the `ship` preset in PyTorch and in `fersnet bench train`, side by side.

Both train the same network on random faces with the same batch, losses and optimiser, on the same
number of threads, one after the other in rounds, and the ratio of their medians is printed. Needs
torch 2.11.0 and a fersnet built with `--features tch,bench` (docs/training.md):

    python tools/bench_train.py target/release/fersnet --threads 2
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))


def torch_step_ms(args, half):
    """Milliseconds of each timed step in PyTorch."""
    import golden
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    size, labelled, pairs = golden.FACE, args.labelled, args.pairs
    classes = golden.CLASSES[8]
    case = {
        "edition": "2021",
        "variant": "fersnet",
        "width": args.width,
        "channels": 3,
        "classes": classes,
        "head": "warp",
    }
    net = golden.build(case).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, eps=1e-5, weight_decay=0.02)
    average = [p.detach().clone() for p in net.parameters()]
    x = torch.rand(labelled + pairs, 3, size, size)
    target = torch.rand(pairs, 3, size, size)
    labels = torch.eye(8)[torch.arange(labelled + pairs) % 8]
    wanted = torch.eye(8)[torch.arange(pairs) % 8]
    steps = []
    for step in range(args.warm_up + args.steps):
        started = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            (logits, _), (bottom, skips), _ = net.encode(x)
            source = x[labelled:]
            drawn = net.decode(source, (bottom[labelled:], [s[labelled:] for s in skips]), wanted)
        redrawn = golden.draw("warp", source, drawn.float())
        loss = -(torch.log_softmax(logits.float(), 1) * labels).sum(1).mean()
        difference = redrawn["face"] - target
        weight = 1 + 10 * (target - source).abs().mean(1, keepdim=True)

        def roughness(maps):
            return ((maps[..., 1:] - maps[..., :-1]).abs().mean() + (maps[..., 1:, :] - maps[..., :-1, :]).abs().mean()) / 2

        loss = loss + 6 * (difference.abs() * weight).mean() + 6 * roughness(difference)
        loss = loss + 0.05 * roughness(redrawn["flow"] * size)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            for mean, p in zip(average, net.parameters()):
                mean.lerp_(p, 0.002)
        if step >= args.warm_up:
            steps.append((time.perf_counter() - started) * 1e3)
    return steps


def fersnet_step_ms(args, half):
    """Median milliseconds of a step in fersnet."""
    import torch

    command = [
        args.fersnet, "bench", "train", "--json", "--device", "torch",
        "--steps", str(args.steps), "--warm-up", str(args.warm_up),
        "--set", f"network.width={args.width}",
        "--set", f"batch.labelled={args.labelled}",
        "--set", f"batch.pairs={args.pairs}",
        "--set", f'run.precision="{"half" if half else "full"}"',
    ]  # fmt: skip
    libraries = os.path.join(os.path.dirname(torch.__file__), "lib")
    environment = dict(os.environ, LD_LIBRARY_PATH=libraries, OMP_NUM_THREADS=str(args.threads))
    output = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    return json.loads(output)[0]["step_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("fersnet", help="the program, built with --features tch")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--labelled", type=int, default=48)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=7, help="timed steps of a round")
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    samples = args.labelled + args.pairs
    for half in (False, True):
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(fersnet_step_ms(args, half))
            theirs.append(statistics.median(torch_step_ms(args, half)))
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        print(
            f"{'bf16' if half else 'f32 '}  {args.threads} threads  "
            f"fersnet {samples / ours * 1e3:6.1f} samples/s  PyTorch {samples / theirs * 1e3:6.1f} samples/s  "
            f"fersnet / PyTorch {theirs / ours:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
