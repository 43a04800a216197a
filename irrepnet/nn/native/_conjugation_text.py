"""The kernels of a `Conjugation` in C."""

from __future__ import annotations

import numpy as np

from irrepnet.nn._straight_line import StraightLine, straight_line

Matrix = tuple[tuple[float, ...], ...]


def source(enter: Matrix, leave: Matrix, function: str, shifted: bool = False) -> str:
    """The kernels in C: `forward` and, where there is a function and no shift, `backward`."""
    down, up = straight_line(np.array(enter)), straight_line(np.array(leave))
    points, slopes = _outputs(down, "a"), _outputs(down, "b")
    entered = [*_loads("x", "a", len(enter), shifted), *_sums(down, "a", len(enter))]
    changed = [*_loads("g", "b", len(enter)), *_sums(down, "b", len(enter))]
    left = [
        *_sums(up, "p", len(enter)),
        *(f"y{k}[c] = STORE({value});" for k, value in enumerate(_outputs(up, "p"))),
    ]
    values = [f"float p{k} = value_{function}({a});" for k, a in enumerate(points)]
    texts = [_kernel_text("forward", "x", len(enter), [*entered, *values, *left], shifted)]
    if function != "none" and not shifted:
        pairs = enumerate(zip(points, slopes, strict=True))
        values = [f"float p{k} = slope_{function}({a}) * ({b});" for k, (a, b) in pairs]
        body = [*entered, *changed, *values, *left]
        texts.append(_kernel_text("backward", "xg", len(enter), body))
    return "\n".join(texts)


def _kernel_text(name: str, reads: str, size: int, body: list[str], shifted: bool = False) -> str:
    """A loop over rows and copies around `body`; tensors are those of `reads`, `y`, and a shift."""
    pointers = [f"const T *{read}" for read in reads] + ["T *y"]
    numbers = [f"int64_t {t}_stride" for t in (*reads, "y")]
    numbers += ["int64_t first", "int64_t last", "int64_t copies"]
    places = ["const int64_t *sources", "const int64_t *targets"]
    if shifted:
        places += ["const T *shift", "int64_t vectors", "int64_t shift_stride", "int64_t repeat"]
    at = [
        f"const T *{read}{k} = {read} + row * {read}_stride + sources[{k}];"
        for read in reads
        for k in range(size)
    ] + [f"T *y{k} = y + row * y_stride + targets[{k}];" for k in range(size)]
    if shifted:
        at += ["const T *vector = shift + row / repeat % vectors * shift_stride;"]
        at += [f"const T *vector{k} = vector + sources[{k}];" for k in range(size)]
    # One stretch of memory the processor fetches ahead by itself; of several it loses track.
    # ViT-B's 3072 channels in float32, flop: 2.0 ms without these lines, 1.25 ms with them.
    ahead = [f"fetch({t}{k} + {t}_stride, copies * sizeof(T));" for t in reads for k in range(size)]
    lines = ["    " + line for line in at + (ahead if size > 1 else [])] + [
        "    INDEPENDENT",
        "    for (int64_t c = 0; c < copies; c++) {",
        *("      " + line for line in body),
        "    }",
    ]
    return "\n".join(
        [
            f"void {name}({', '.join(pointers + numbers + places)}) {{",
            "  for (int64_t row = first; row < last; row++) {",
            *lines,
            "  }",
            "}",
        ]
    )


def _loads(tensor: str, name: str, size: int, shifted: bool = False) -> list[str]:
    """Registers `name0`, `name1`... from memory."""
    shifts = [f" + LOAD(vector{k}[c])" if shifted else "" for k in range(size)]
    return [f"float {name}{k} = LOAD({tensor}{k}[c]){shifts[k]};" for k in range(size)]


def _sums(line: StraightLine, name: str, size: int) -> list[str]:
    """The steps of a straight line, as registers behind the first `size`."""
    return [
        f"float {name}{k} = {_sum(f'{name}{i}', f'{name}{j}', factor)};"
        for k, (i, j, factor) in enumerate(line.steps, size)
    ]


def _sum(first: str, second: str, factor: float) -> str:
    if abs(factor) == 1:
        return f"{first} {'+' if factor > 0 else '-'} {second}"
    return f"fused({factor!r}f, {second}, {first})"


def _outputs(line: StraightLine, name: str) -> list[str]:
    """What comes out of a straight line."""
    return [f"{factor!r}f * {name}{k}" for k, factor in line.outputs]
