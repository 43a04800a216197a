"""The grid rule: which windows, strides and paddings a group of image motions allows."""

from __future__ import annotations

from irrepnet._errors import GridError
from irrepnet.actions import ImageAction

Size = tuple[int, int]


def check_preserves(action: ImageAction, what: str, size: Size) -> None:
    """Raise `GridError` unless every element maps a grid of the size to itself."""
    if not action.preserves(*size):
        raise GridError(
            f"{action.name!r} exchanges rows and columns, so it does not preserve a {what} of "
            f"{size[0]} x {size[1]}: expected a square {what}, such as {min(size)} x {min(size)}, "
            f"or a group without quarter turns and diagonal mirrors."
        )


def tiled_grid(
    action: ImageAction, size: Size, window: Size, whole: str = "grid", part: str = "window"
) -> Size:
    """Height and width of the grid of windows that tile a grid.

    Raises:
        GridError: If they do not tile it, or the group does not preserve the window or the grid.
    """
    (height, width), (high, wide) = size, window
    if min(*size, *window) < 1 or height % high or width % wide:
        grown = [max(1, n // max(1, w)) * max(1, w) for n, w in zip(size, window, strict=True)]
        raise GridError(
            f"{part}s of {high} x {wide} do not tile {_article(whole)} {whole} of {height} x "
            f"{width}: expected a size such as {grown[0]} x {grown[1]}."
        )
    grid = (height // high, width // wide)
    for what, checked in ((part, window), ("token grid", grid)):
        check_preserves(action, what, checked)
    return grid


def grown_grid(action: ImageAction, grid: Size, window: Size) -> Size:
    """Height and width of a grid whose cells become windows.

    Raises:
        GridError: If a size is not positive, or the group does not preserve grid and window.
    """
    size = (grid[0] * window[0], grid[1] * window[1])
    tiled_grid(action, size, window)
    return size


def convolved_grid(
    action: ImageAction, size: Size, kernel: Size, stride: Size, padding: Size
) -> Size:
    """Height and width of a convolution's output.

    Along an axis that some element reverses, the windows must lie symmetrically: what the stride
    leaves over at the end would be left over at the start of the mirrored grid.

    Raises:
        GridError: If the kernel does not fit, or the group does not preserve the windows.

    References:
        Edixhoven, Lengyel, van Gemert, *Using and Abusing Equivariance* (arXiv 2308.11316).

    Examples:
        >>> from irrepnet import actions
        >>> convolved_grid(actions.image("flop"), (9, 9), (3, 3), (2, 2), (1, 1))
        (5, 5)
    """
    if min(*size, *kernel, *stride) < 1 or min(padding) < 0:
        raise GridError(
            f"got a kernel of {_by(kernel)} with stride {_by(stride)} and padding {_by(padding)} "
            f"on a grid of {_by(size)}: expected positive sizes and strides and padding >= 0."
        )
    for what, checked in (
        ("grid", size),
        ("kernel", kernel),
        ("stride", stride),
        ("padding", padding),
    ):
        check_preserves(action, what, checked)
    room = [n + 2 * p - k for n, p, k in zip(size, padding, kernel, strict=True)]
    if min(room) < 0:
        raise GridError(
            f"a kernel of {_by(kernel)} does not fit on a grid of {_by(size)} with padding "
            f"{_by(padding)}: expected a smaller kernel or more padding."
        )
    for axis, name in enumerate(("height", "width")):
        left = room[axis] % stride[axis]
        if left and any(-1 in matrix[axis] for matrix in action.matrices):
            n, step = size[axis], stride[axis]
            works = [m for m in (n - left, n - left + step) if m > 0]
            raise GridError(
                f"{action.name!r} reverses the {name} of {n}, but windows of {kernel[axis]} with "
                f"stride {step} and padding {padding[axis]} leave {left} over at one end: expected "
                f"a {name} of {' or '.join(map(str, works))}, or a kernel of "
                f"{kernel[axis] + left}."
            )
    height, width = (convolved_size(*s) for s in zip(size, kernel, stride, padding, strict=True))
    return height, width


def convolved_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Places of a kernel along one axis."""
    room = size + 2 * padding - kernel
    return (room if stride == 1 else room // stride) + 1


def _by(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
