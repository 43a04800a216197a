"""Pictures of any size, mode and orientation become what a network takes, or a clear error."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irrepnet._errors import PictureError
from irrepnet.actions import image
from irrepnet.report import Photo, load_photo

CONFIG = {
    "input_size": (3, 32, 48),
    "crop_pct": 0.8,
    "mean": (0.5, 0.25, 0.0),
    "std": (0.5, 0.25, 1.0),
}


def save(path: Path, picture: Image.Image, **options: object) -> str:
    picture.save(path, **options)
    return str(path)


def half(mode: str, left: object, right: object, size: tuple[int, int] = (120, 80)) -> Image.Image:
    """A picture whose halves have two colours."""
    picture = Image.new(mode, size, left)
    picture.paste(right, (size[0] // 2, 0, size[0], size[1]))
    return picture


def test_the_sample_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr("socket.socket.connect", refuse)
    photo = load_photo(None, CONFIG)
    assert photo.original_size == (512, 512)
    assert photo.pixels.shape == (32, 48, 3)
    assert "public domain" in photo.caption


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (48, 32), (49, 33), (60, 40)])
def test_any_size_is_cropped_to_the_networks(tmp_path: Path, size: tuple[int, int]) -> None:
    photo = load_photo(save(tmp_path / "p.png", Image.new("RGB", size, "red")), CONFIG)
    assert photo.original_size == size
    assert (photo.pixels == (255, 0, 0)).all()
    assert photo.pixels.shape == (32, 48, 3)


def test_the_centre_is_kept() -> None:
    pixels = load_photo(None, {**CONFIG, "input_size": (3, 224, 224), "crop_pct": 1.0}).pixels
    from skimage.data import astronaut

    small = Image.fromarray(astronaut()).resize((224, 224), Image.Resampling.BICUBIC)
    assert (pixels == np.asarray(small)).all()


def test_crop_pct_is_the_share_that_is_seen(tmp_path: Path) -> None:
    path = save(tmp_path / "p.png", half("L", 0, 255, (600, 400)))
    whole = load_photo(path, {**CONFIG, "crop_pct": 1.0}).pixels[:, :, 0]
    inner = load_photo(path, {**CONFIG, "crop_pct": 0.5}).pixels[:, :, 0]
    assert whole[:, 0].max() == inner[:, 0].max() == 0
    assert whole[:, -1].min() == inner[:, -1].min() == 255


@pytest.mark.parametrize(
    ("mode", "left", "right"),
    [
        ("1", 0, 1),
        ("L", 0, 255),
        ("P", 0, 255),
        ("RGB", (0, 0, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 255), (9, 9, 9, 0)),
        ("LA", (0, 255), (9, 0)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)),
        ("I;16", 0, 65535),
        ("F", 0.0, 1.0),
    ],
)
def test_every_mode_is_read(tmp_path: Path, mode: str, left: object, right: object) -> None:
    ending = "tiff" if mode in ("CMYK", "F") else "png"
    picture = half(mode, left, right)
    if mode == "P":
        picture.putpalette([v for v in range(256) for _ in range(3)])
    photo = load_photo(save(tmp_path / f"p.{ending}", picture), CONFIG)
    assert (photo.pixels[:, :16] <= 1).all()
    assert (photo.pixels[:, -16:] >= 254).all()


def test_orientation_is_respected(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 2  # stored mirrored
    path = save(tmp_path / "p.png", half("L", 0, 255), exif=exif)
    photo = load_photo(path, CONFIG)
    assert (photo.pixels[:, :16] == 255).all()


def test_pixels_are_normalised() -> None:
    pixels = np.full((32, 48, 3), 255, dtype=np.uint8)
    x = Photo("", (48, 32), pixels).tensor(CONFIG)
    assert x.shape == (1, 3, 32, 48)
    assert x[0, :, 0, 0].tolist() == [1.0, 3.0, 1.0]


def test_a_moved_photo_is_a_moved_array() -> None:
    pixels = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    photo = Photo("", (4, 4), pixels)
    assert (photo.moved(image("flop"), 1) == pixels[:, ::-1]).all()
    assert (photo.moved(image("vflip"), 1) == pixels[::-1]).all()
    assert (photo.moved(image("C4"), 1) == np.rot90(pixels)).all()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    path.write_text("not a picture")
    with pytest.raises(PictureError, match=r"p\.jpg is no picture that Pillow can read .*expected"):
        load_photo(str(path), CONFIG)


def test_half_a_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "p.png", Image.effect_noise((64, 64), 50))
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError, match="open it in a viewer to see whether it is damaged"):
        load_photo(path, CONFIG)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="is a folder: expected a picture file"):
        load_photo(str(tmp_path), CONFIG)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"there is no file .*: expected a picture \(JPEG"):
        load_photo(str(tmp_path / "p.jpg"), CONFIG)


def test_a_closed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", closed)
    with pytest.raises(PictureError, match="may not be read: give yourself permission"):
        load_photo("p.jpg", CONFIG)


def test_an_enormous_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "p.png", Image.new("L", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match=r"is too large: .* Expected a smaller picture"):
        load_photo(path, CONFIG)
