#!/usr/bin/env python3
"""Makes the small images and PIL's results that Tests/ImagingTests compares with.

Needs Pillow and NumPy. Deterministic; run it from the root of the repository:

    python3 tools/golden/make-resize-goldens.py
"""
import pathlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path("Tests/ImagingTests/Goldens")
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def picture(height, width, seed):
    """Smooth waves with noise and a hard edge, so that wrong filters and offsets show."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (3 + c) + y / (5 - c)) * 80 + 128 for c in range(3)]
    noise = random.integers(-40, 40, (height, width, 3))
    values = np.stack(waves, -1) + noise + (x > width // 2)[..., None] * 30
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def save(name, array):
    np.save(FOLDER / f"{name}.npy", np.ascontiguousarray(array))


def torchvision_like(image, short, crop):
    width, height = image.size
    if width <= height:
        size = (short, short * height // width)
    else:
        size = (short * width // height, short)
    image = image.resize(size, Image.BILINEAR)
    left, top = (int(round((have - crop) / 2.0)) for have in image.size)
    image = image.crop((left, top, left + crop, top + crop))
    values = np.asarray(image, np.float32) / np.float32(255)
    values = (values - np.float32(MEAN)) / np.float32(DEVIATION)
    return values.transpose(2, 0, 1)[None]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    source = picture(53, 71, 1)
    source.save(FOLDER / "rgb.png")
    save("rgb", np.asarray(source))
    source.save(FOLDER / "rgb.jpg", quality=90)
    save("jpeg", np.asarray(Image.open(FOLDER / "rgb.jpg")))
    source.save(FOLDER / "progressive.jpg", quality=80, progressive=True)
    save("progressive", np.asarray(Image.open(FOLDER / "progressive.jpg")))
    grey = source.convert("L")
    save("grey", np.asarray(grey))
    grey.save(FOLDER / "grey.jpg", quality=95)
    save("grey-jpeg", np.asarray(Image.open(FOLDER / "grey.jpg")))
    source.resize((16, 12)).convert("CMYK").save(FOLDER / "cmyk.jpg", quality=100)
    save("cmyk", np.asarray(Image.open(FOLDER / "cmyk.jpg").convert("RGB")))

    small = picture(9, 13, 2)
    palette = small.quantize(7)
    palette.save(FOLDER / "palette.png")
    save("palette", np.asarray(palette.convert("RGB")))
    alpha = np.random.default_rng(3).integers(0, 256, (9, 13), np.uint8)
    rgba = np.dstack([np.asarray(small), alpha])
    Image.fromarray(rgba).save(FOLDER / "alpha.png")
    source.save(FOLDER / "lossy.webp", quality=80)
    save("lossy-webp", np.asarray(Image.open(FOLDER / "lossy.webp").convert("RGB")))
    Image.fromarray(rgba).save(FOLDER / "lossless.webp", lossless=True, exact=True)
    save("lossless-webp", np.asarray(Image.open(FOLDER / "lossless.webp").convert("RGB")))
    save("alpha", np.asarray(small))
    deep = (np.arange(9 * 13, dtype=np.uint32).reshape(9, 13) * 557).astype(np.uint16)
    Image.fromarray(deep).save(FOLDER / "deep.png")
    save("deep", (deep >> 8).astype(np.uint8))
    bits = Image.fromarray((np.asarray(small.convert("L")) > 128).astype(np.uint8) * 255).convert("1")
    bits.save(FOLDER / "bits.png")
    save("bits", np.asarray(bits.convert("L")))

    for name, filter in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
        for height, width in ((17, 23), (100, 90), (53, 20), (1, 1), (7, 140)):
            save(f"{name}-{height}x{width}", np.asarray(source.resize((width, height), filter)))
        save(f"{name}-grey-19x18", np.asarray(grey.resize((18, 19), filter)))
    save("torchvision-24-20", torchvision_like(source, 24, 20))
    save("torchvision-portrait-25-18", torchvision_like(source.transpose(Image.ROTATE_90), 25, 18))
    source.transpose(Image.ROTATE_90).save(FOLDER / "portrait.png")


if __name__ == "__main__":
    main()
