#!/usr/bin/env python3
"""Makes tests/photos and tests/pictures from the sample portraits and scikit-image's pictures.

    python tools/test_photos.py SAMPLES COFFEE.png

SAMPLES is the folder of sample portraits (astronaut.png, rendered-*.jpg); COFFEE.png is
skimage/data/coffee.png of the PyPI package scikit-image. Needs Pillow. No test runs this script.
"""

import pathlib
import sys

from PIL import Image, ImageDraw, ImageFilter

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"


def several(samples):
    """Six persons on one canvas: large and small, tilted, and cut by the border."""
    canvas = Image.new("RGB", (1200, 800))
    draw = ImageDraw.Draw(canvas)
    for y in range(800):
        draw.line([(0, y), (1200, y)], fill=(150 - y // 16, 140 - y // 14, 130 - y // 12))
    portrait = lambda name: Image.open(samples / name).convert("RGB")
    places = [
        ("astronaut.png", (90, 0, 390, 300), 420, (40, 60), 0),
        ("rendered-S1000-happiness.jpg", None, 330, (500, 30), 0),
        ("rendered-S1002-neutral.jpg", None, 250, (880, 60), 12),
        ("rendered-S1004-happiness.jpg", None, 200, (560, 420), -8),
        ("rendered-S1005-neutral.jpg", None, 120, (840, 480), 0),
        ("rendered-S1008-happiness.jpg", (0, 0, 420, 512), 230, (1012, 500), 0),
    ]
    for name, box, width, place, angle in places:
        person = portrait(name)
        person = person.crop(box) if box else person
        person = person.resize((width, round(width * person.height / person.width)), Image.LANCZOS)
        mask = Image.new("L", person.size, 255)
        if angle:
            mask = mask.rotate(angle, expand=True)
            person = person.rotate(angle, Image.BICUBIC, expand=True)
        canvas.paste(person, place, mask.filter(ImageFilter.GaussianBlur(1)))
    canvas.save(TESTS / "photos/several.jpg", quality=85)


def turned(samples):
    """The astronaut, its pixels turned by 90 degrees and EXIF orientation 6 to turn them back."""
    upright = Image.open(samples / "astronaut.png").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(TESTS / "photos/turned.jpg", quality=88, exif=exif)


def odd_pictures():
    """One small picture in as many ways as files are written; quarters red, green, blue, white."""
    folder = TESTS / "pictures"
    rgb = Image.new("RGB", (48, 32), (255, 255, 255))
    for box, colour in {(0, 0, 24, 16): (255, 0, 0), (24, 0, 48, 16): (0, 255, 0), (0, 16, 24, 32): (0, 0, 255)}.items():
        rgb.paste(colour, box)
    rgb.save(folder / "baseline.jpg", quality=95, subsampling=0)
    rgb.save(folder / "progressive.jpg", quality=95, progressive=True, subsampling=2)
    rgb.convert("L").save(folder / "grey.jpg", quality=95)
    rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    rgb.save(folder / "rgb.png")
    rgb.quantize(4).save(folder / "palette.png")
    rgb.convert("L").point(lambda v: v * 257, "I").convert("I;16").save(folder / "grey16.png")
    rgb.convert("1").save(folder / "bits.png")
    alpha = rgb.convert("RGBA")
    alpha.putalpha(Image.new("L", rgb.size, 0))
    alpha.paste((255, 0, 0, 255), (0, 0, 24, 16))
    alpha.save(folder / "alpha.png")
    alpha.save(folder / "alpha.webp", quality=95)
    rgb.save(folder / "lossy.webp", quality=95)
    rgb.save(folder / "lossless.webp", lossless=True)
    exif = Image.Exif()
    exif[0x0112] = 3
    rgb.save(folder / "upside-down.webp", lossless=True, exif=exif)
    rgb.save(folder / "upside-down.png", exif=exif)
    rgb.save(folder / "rgb.bmp")
    rgb.quantize(4).save(folder / "palette.bmp")
    frames = [rgb, Image.new("RGB", rgb.size, (0, 0, 0))]
    frames[0].save(folder / "two-frames.gif", save_all=True, append_images=frames[1:], duration=100)


def main():
    samples, coffee = map(pathlib.Path, sys.argv[1:3])
    for name in ("photos", "pictures"):
        (TESTS / name).mkdir(parents=True, exist_ok=True)
    several(samples)
    turned(samples)
    Image.open(coffee).convert("RGB").save(TESTS / "photos/no-face.jpg", quality=85)
    odd_pictures()


if __name__ == "__main__":
    main()
