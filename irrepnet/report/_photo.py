"""`Photo`: a picture, resized and cropped as for evaluation on ImageNet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from irrepnet._errors import PictureError
from irrepnet.actions import ImageAction
from irrepnet.certificate import act
from irrepnet.compiler import Images
from irrepnet.report._extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

_SAMPLE = "Eileen Collins, astronaut (NASA, public domain; one of scikit-image's samples)"


@dataclass(frozen=True)
class Photo:
    """A picture as a network sees it, before normalisation.

    Attributes:
        caption: Where it is from.
        original_size: Width and height of the picture as it was.
        pixels: uint8 array `(height, width, 3)`, resized and cropped, read-only.
    """

    caption: str
    original_size: tuple[int, int]
    pixels: np.ndarray

    def tensor(self, config: dict[str, Any]) -> Tensor:
        """The normalised picture `(1, 3, height, width)` in float64.

        Args:
            config: A model's `default_cfg`.
        """
        x = torch.from_numpy(self.pixels.copy()).permute(2, 0, 1).to(torch.float64) / 255
        mean, std = (torch.tensor(config[key], dtype=x.dtype) for key in ("mean", "std"))
        return ((x - mean[:, None, None]) / std[:, None, None])[None]

    def moved(self, action: ImageAction, element: int) -> np.ndarray:
        """The pixels after a group element has moved them."""
        height, width, channels = self.pixels.shape
        x = torch.from_numpy(self.pixels.copy()).permute(2, 0, 1)[None]
        return (
            act(Images(action, channels, (height, width)), element, x)[0].permute(1, 2, 0).numpy()
        )


def load_photo(path: str | None, config: dict[str, Any]) -> Photo:
    """Read a picture and prepare it as for evaluation on ImageNet.

    The shorter edge is resized to `size / crop_pct` (bicubic), and the centre is cropped.

    Args:
        path: A picture of any size and mode; `None` for the sample.
        config: A model's `default_cfg`.

    Raises:
        MissingExtraError: If Pillow, or scikit-image for the sample, is not installed.
        PictureError: If the file is no picture.
    """
    picture, caption = (_sample(), _SAMPLE) if path is None else (_read(path), path)
    _, height, width = config["input_size"]
    pixels = np.array(_evaluation_crop(picture, (width, height), config["crop_pct"]))
    pixels.setflags(write=False)
    return Photo(caption, picture.size, pixels)


def _sample() -> Image:
    images = require("PIL.Image", "Pillow", "reading pictures")
    data = require("skimage.data", "scikit-image", "the default photo (or give --image FILE)")
    return images.fromarray(data.astronaut())


def _read(path: str) -> Image:
    """An upright RGB picture."""
    images = require("PIL.Image", "Pillow", "reading pictures")
    operations = require("PIL.ImageOps", "Pillow", "reading pictures")
    try:
        with images.open(path) as opened:
            return _rgb(operations.exif_transpose(opened))
    except FileNotFoundError:
        raise PictureError(
            f"there is no file {path}: expected a picture (JPEG, PNG, ...)."
        ) from None
    except IsADirectoryError:
        raise PictureError(
            f"{path} is a folder: expected a picture file (JPEG, PNG, ...)."
        ) from None
    except PermissionError:
        raise PictureError(
            f"{path} may not be read: give yourself permission, or copy it."
        ) from None
    except images.DecompressionBombError as problem:
        raise PictureError(f"{path} is too large: {problem} Expected a smaller picture.") from None
    except (OSError, SyntaxError, ValueError) as problem:
        raise PictureError(
            f"{path} is no picture that Pillow can read ({problem}): expected JPEG, PNG, WebP, "
            f"TIFF, ...; open it in a viewer to see whether it is damaged."
        ) from None


def _rgb(picture: Image) -> Image:
    """Eight bits and three channels; what is transparent becomes white."""
    images = require("PIL.Image", "Pillow", "reading pictures")
    if picture.mode.startswith(("I", "F")):  # more than eight bits: `convert` would clip
        values = np.asarray(picture, dtype=np.float64)
        top = 65535 if picture.mode != "F" else max(1.0, float(values.max()))
        picture = images.fromarray((255 * (values / top).clip(0, 1)).round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = images.new("RGBA", picture.size, "white")
        picture = images.alpha_composite(white, picture)
    return picture.convert("RGB")


def _evaluation_crop(picture: Image, size: tuple[int, int], crop_pct: float) -> Image:
    """Resize so that the crop is `crop_pct` of the shorter way, then crop the centre."""
    images = require("PIL.Image", "Pillow", "reading pictures")
    wanted = [math.floor(s / crop_pct) for s in size]
    scale = max(w / p for w, p in zip(wanted, picture.size, strict=True))
    new = [max(s, int(p * scale + 1e-6)) for s, p in zip(size, picture.size, strict=True)]
    picture = picture.resize((new[0], new[1]), images.Resampling.BICUBIC)
    left, top = (round((n - s) / 2) for n, s in zip(new, size, strict=True))
    return picture.crop((left, top, left + size[0], top + size[1]))
