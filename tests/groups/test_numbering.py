"""Elements, classes and irreps keep their numbers: what was saved or published stays true."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from irrepnet import groups
from irrepnet.groups import Group


def regular(name: str) -> Group:
    group = groups.parse(name)
    return groups.from_permutations([group.left_multiply(g) for g in group.generators])


def moved(name: str) -> Group:
    """A group on its own points twice, the second time in another order."""
    group, rng = groups.parse(name), np.random.default_rng(7)
    relabel = rng.permutation(group.degree)
    rows = group.elements[list(group.generators)]
    again = relabel[rows[:, np.argsort(relabel)]] + group.degree
    return groups.from_permutations(np.hstack([rows, again]))


def polygon(n: int) -> Group:
    angle = 2 * np.pi / n
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return groups.from_matrices([turn, [[1, 0], [0, -1]]])


def mirrors(n: int) -> Group:
    corners = np.arange(n)
    return groups.from_permutations([-corners % n, (1 - corners) % n])


def semidirect(n: int, m: int, a: int) -> Group:
    return groups.semidirect_product(groups.cyclic(n), groups.cyclic(m), [[a]])


GL25 = groups.general_linear(2, 5)

NAMES = (
    "C7 D1 D2 D9 D1600 Dic1 Dic7 Dic600 Q16 S5 S7 A6 B3 T O I M11 SL(2,5) PSL(2,17) C2xC3000 "
    "Dic30xS4 D400xC8 S3^4 C2wrS4 C9wrC2 (C2xC2)wrC3"
).split()

GROUPS: dict[str, Callable[[], Group]] = {
    **{name: lambda name=name: groups.parse(name) for name in NAMES},
    **{f"regular {name}": lambda name=name: regular(name) for name in ("M11", "D1100", "C2^9")},
    **{f"moved {name}": lambda name=name: moved(name) for name in ("D1500", "S4xC5", "PSL(2,7)")},
    "C7:C3": lambda: semidirect(7, 3, 2),
    "C1500:C2": lambda: semidirect(1500, 2, 1499),
    "C97:C96": lambda: semidirect(97, 96, 5),
    "polygon": lambda: polygon(12),
    "mirrors": lambda: mirrors(1500),
    "quotient": lambda: groups.quotient(GL25, groups.centre(GL25)),
    "subgroup": lambda: groups.dicyclic(600).subgroup([2, 1200]).as_group(),
}

DIGESTS = {
    "C7": "7ef4b51c7907",
    "D1": "6a166115534e",
    "D2": "94c432907d2d",
    "D9": "7e33bbccbf93",
    "D1600": "556ef3c982fb",
    "Dic1": "509714eb2090",
    "Dic7": "26862813dd5f",
    "Dic600": "a4268765b904",
    "Q16": "3b741bf11f71",
    "S5": "bb19352bfb19",
    "S7": "e738be89f15a",
    "A6": "2feb9b2ed3aa",
    "B3": "24fcb8ab2ab2",
    "T": "97188f3f4cad",
    "O": "d3f83128d5c8",
    "I": "25970f61e196",
    "M11": "e3a3f79aa374",
    "SL(2,5)": "bd7bce78de5d",
    "PSL(2,17)": "5adc36bdc6ff",
    "C2xC3000": "9fb4d9c83155",
    "Dic30xS4": "6f54c5af34b3",
    "D400xC8": "5a5cd248e9ad",
    "S3^4": "5095ca6cbf20",
    "C2wrS4": "91540168884d",
    "C9wrC2": "421de214df7f",
    "(C2xC2)wrC3": "6d525073963f",
    "regular M11": "dc41e4c409f5",
    "regular D1100": "f4f7be9a966f",
    "regular C2^9": "a35b76308a78",
    "moved D1500": "182d72ba4422",
    "moved S4xC5": "439998b84b49",
    "moved PSL(2,7)": "c455575c7d5b",
    "C7:C3": "75c1c6df3024",
    "C1500:C2": "087bfdd5e28c",
    "C97:C96": "b536afce9164",
    "polygon": "325ec16dafcf",
    "mirrors": "efda7da07cb3",
    "quotient": "c8e46517b010",
    "subgroup": "2fb7d163bf86",
}


def digest(group: Group) -> str:
    """What must stay, up to what representatives of elements tell of them."""
    some = np.unique(np.linspace(0, group.order - 1, 50).astype(int))
    arrays = (
        [group.permutation(a) for a in some.tolist()],
        group.generators,
        group.class_labels,
        group.inverses,
        group.products(some[:, None], some),
        [(c.representative, c.size, c.element_order) for c in group.conjugacy_classes],
        group.character_table.degrees,
        group.character_table.frobenius_schur,
    )
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.asarray(array, dtype="<i8").tobytes())
    total.update(repr([(i.name, i.dim, i.kind) for i in group.irreps]).encode())
    return total.hexdigest()[:12]


@pytest.mark.parametrize("name", GROUPS)
def test_numbers_stay(name: str) -> None:
    assert digest(GROUPS[name]()) == DIGESTS[name]
