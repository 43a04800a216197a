"""`Restriction`: what a feature type becomes when only a subgroup is respected from here on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from irrepnet import reps
from irrepnet._errors import GroupError, SpecError
from irrepnet.groups import Group
from irrepnet.types._feature_type import FeatureType
from irrepnet.types._gset_solver import gset_for, scaled_gset
from irrepnet.types._gset_type import GSetType, from_orbit_types
from irrepnet.types._scaled import ScaledType

BASES = ("irrep", "gset")


@dataclass(frozen=True)
class Piece:
    """One run of channels of the restricted feature: rows of one irrep's alignment.

    Attributes:
        irrep: Position of the larger group's irrep among the blocks of its type.
        row: Row of that irrep's alignment.
    """

    irrep: int
    row: int


@dataclass(frozen=True)
class Restriction:
    """A feature type of `G`, seen as one of a subgroup `H`, with the change of basis.

    Args:
        in_type: The type over `G`.
        subgroup: `H` as a group of its own.
        embedding: For each element of `H` the element of `G` that it is.
        basis: `"irrep"` decomposes each irrep of `G` under `H` by itself, which mixes only the
            components of one copy; `"gset"` first goes to the points that `G` permutes, so that the
            ordinary network after a break to the trivial group works on ordinary channels (the
            papers' hybrid).
        through: A restriction to a larger subgroup, if the basis is that of restricting its result
            once more, irrep by irrep. (Copies stand in another order than after one restriction.)

    Raises:
        SpecError: If `basis` is unknown, or goes through points after or before another one.
        GroupError: If the embedding is no injective homomorphism.
        ActivationError: If `basis="gset"` and the type is no permutation representation.

    References:
        Serre, sec. 7.1 (restriction); Flopping for FLOPs (arXiv 2502.05169), hybrid networks.

    Examples:
        >>> from irrepnet import groups
        >>> X = FeatureType(groups.octic(), "2*A1 + 2*E")
        >>> str(Restriction(X, groups.trivial(), (0,), "irrep").out_type)
        '6*chi0'
    """

    in_type: FeatureType
    subgroup: Group
    embedding: tuple[int, ...]
    basis: str
    through: Restriction | None = None

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise SpecError(f"unknown basis {self.basis!r}: expected one of {', '.join(BASES)}.")
        if self.through is not None and "gset" in (self.basis, self.through.basis):
            raise SpecError(
                f"got restrictions with basis={self.through.basis!r} and basis={self.basis!r} as "
                f"one: expected 'irrep' for both, since points mix irreps."
            )
        check_embedding(self.subgroup, self.in_type.group, self.embedding)
        if self.basis == "gset":
            _ = self.gset

    @cached_property
    def out_type(self) -> FeatureType:
        """The type over the subgroup."""
        if self.basis == "gset":
            return self.gset_after[0].feature_type
        total = [0] * len(self.subgroup.irreps)
        for block, (multiplicities, _) in zip(self.in_type.blocks, self.alignments, strict=True):
            pairs = zip(total, multiplicities, strict=True)
            total = [n + block.multiplicity * m for n, m in pairs]
        return FeatureType(self.subgroup, total)

    # -- through irreps ---------------------------------------------------------------------

    @cached_property
    def alignments(self) -> tuple[tuple[tuple[int, ...], np.ndarray], ...]:
        """For each block of the type: multiplicities over `H`, and the orthogonal alignment."""
        direct = tuple(self._alignment(b.irrep) for b in self.in_type.blocks)
        if self.through is None:
            return direct
        return tuple((m, rows) for (m, _), rows in zip(direct, self._composed[1], strict=True))

    def _alignment(self, irrep: reps.Irrep) -> tuple[tuple[int, ...], np.ndarray]:
        matrices = np.stack([irrep.matrix(a) for a in self.embedding])
        found = reps.from_matrices(self.subgroup, matrices).decompose()
        return tuple(found.multiplicities), found.basis.to_dense()

    @cached_property
    def monomial_alignments(self) -> tuple[tuple[tuple[int, int], ...] | None, ...]:
        """Column and sign of each row of an alignment that is a signed permutation, else `None`."""
        return tuple(_monomial(matrix) for _, matrix in self.alignments)

    def pieces(self) -> Iterator[Piece]:
        """The restricted feature's runs in order: irrep of `H`, component, block of `G`, copy."""
        if self.through is not None:
            yield from self._composed[0]
            return
        for j, small in enumerate(self.subgroup.irreps):
            for component in range(small.dim):
                for i, (multiplicities, _) in enumerate(self.alignments):
                    before = sum(
                        m * s.dim
                        for m, s in zip(multiplicities[:j], self.subgroup.irreps[:j], strict=True)
                    )
                    first = before + component * multiplicities[j]
                    yield from (Piece(i, first + c) for c in range(multiplicities[j]))

    @cached_property
    def _composed(self) -> tuple[list[Piece], list[np.ndarray]]:
        """Runs and alignments of two restrictions one after another.

        A row of the second alignment takes a combination of the components of a block; for one run
        of copies these come from one block of `G`, as rows of the first alignment.
        """
        first = self.through
        assert first is not None
        place = {a: h for h, a in enumerate(first.embedding)}
        embedding = tuple(place[a] for a in self.embedding)
        second = Restriction(first.out_type, self.subgroup, embedding, "irrep")
        inside = first._runs_by_component()
        pieces: list[Piece] = []
        rows: list[list[np.ndarray]] = [[] for _ in self.in_type.blocks]
        for piece in second.pieces():
            factors = second.alignments[piece.irrep][1][piece.row]
            for runs in zip(*inside[piece.irrep], strict=True):
                i = runs[0].irrep
                pieces.append(Piece(i, len(rows[i])))
                rows[i].append(factors @ first.alignments[i][1][[run.row for run in runs]])
        return pieces, [np.stack(r) for r in rows]

    def _runs_by_component(self) -> list[list[list[Piece]]]:
        """For each block of the restricted type and each of its components, the runs in order."""
        found, pieces = [], self.pieces()
        for block in self.out_type.blocks:
            number = sum(copies[block.irrep.index] for copies, _ in self.alignments)
            dim = block.irrep.dim
            found.append([[next(pieces) for _ in range(number)] for _ in range(dim)])
        return found

    # -- through points ---------------------------------------------------------------------

    @cached_property
    def gset(self) -> GSetType:
        """The points that `G` permutes."""
        return gset_for(self.in_type)

    @cached_property
    def gset_after(self) -> tuple[GSetType, np.ndarray]:
        """The same points as an `H`-set, and which channel on points stands where."""
        if isinstance(self.in_type, ScaledType):
            origin = Restriction(self.in_type.origin, self.subgroup, self.embedding, self.basis)
            after, order = origin.gset_after
            return scaled_gset(after, self.in_type.scale), order
        images = np.tile(np.arange(self.in_type.dim), (self.subgroup.order, 1))
        for orbits in self.gset.orbits:
            cosets = reps.quotient(self.in_type.group, orbits.stabiliser).images
            cosets = cosets[list(self.embedding)]
            moved = cosets[:, :, None] * orbits.count + np.arange(orbits.count)
            last = orbits.start + orbits.width
            images[:, orbits.start : last] = orbits.start + moved.reshape(len(cosets), -1)
        types = reps.permutation(self.subgroup, images).decompose().orbit_types
        return (
            from_orbit_types(self.subgroup, types),
            np.concatenate([t.points.T.ravel() for t in types]),
        )

    def matrix(self) -> np.ndarray:
        """The change of basis as a dense orthogonal matrix; for tests and dense twins."""
        dim = self.in_type.dim
        if self.basis == "gset":
            after, order = self.gset_after
            return after.basis() @ self.gset.basis().T[order]
        rows = []
        for piece in self.pieces():
            block, (_, alignment) = self.in_type.blocks[piece.irrep], self.alignments[piece.irrep]
            run = np.zeros((block.multiplicity, dim))
            run[:, block.start : block.stop] = np.kron(
                alignment[piece.row], np.eye(block.multiplicity)
            )
            rows.append(run)
        return np.concatenate(rows)


def check_embedding(small: Group, large: Group, embedding: tuple[int, ...]) -> None:
    """Raise `GroupError` unless the map of elements is an injective homomorphism."""
    if len(embedding) != small.order or len(set(embedding)) != small.order:
        raise GroupError(
            f"the embedding of {small.name} into {large.name} has {len(set(embedding))} distinct "
            f"images: expected {small.order}, one for each element."
        )
    for g in small.generators:
        for a in range(small.order):
            if large.multiply(embedding[g], embedding[a]) != embedding[small.multiply(g, a)]:
                raise GroupError(
                    f"the embedding of {small.name} into {large.name} is no homomorphism: elements "
                    f"{g} and {a} do not multiply as their images {embedding[g]}, {embedding[a]}."
                )


def _monomial(matrix: np.ndarray) -> tuple[tuple[int, int], ...] | None:
    """Column and sign of each row of a signed permutation matrix; `None` if it is none."""
    rounded = np.rint(matrix)
    if not (rounded == matrix).all() or (np.abs(rounded).sum(axis=1) != 1).any():
        return None
    columns = np.abs(rounded).argmax(axis=1)
    return tuple((int(c), int(rounded[r, c])) for r, c in enumerate(columns))
