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
from irrepnet.types._gset_solver import gset_for
from irrepnet.types._gset_type import GSetType, from_orbit_types

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

    Raises:
        SpecError: If `basis` is unknown.
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

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise SpecError(f"unknown basis {self.basis!r}: expected one of {', '.join(BASES)}.")
        check_embedding(self.subgroup, self.in_type.group, self.embedding)
        if self.basis == "gset":
            _ = self.gset

    @cached_property
    def out_type(self) -> FeatureType:
        """The type over the subgroup."""
        if self.basis == "gset":
            return self.gset_after[0].feature_type
        total = np.zeros(len(self.subgroup.irreps), dtype=int)
        for block, (multiplicities, _) in zip(self.in_type.blocks, self.alignments, strict=True):
            total += block.multiplicity * np.asarray(multiplicities)
        return FeatureType(self.subgroup, total.tolist())

    # -- through irreps ---------------------------------------------------------------------

    @cached_property
    def alignments(self) -> tuple[tuple[tuple[int, ...], np.ndarray], ...]:
        """For each block of the type: multiplicities over `H`, and the orthogonal alignment."""
        return tuple(self._alignment(b.irrep) for b in self.in_type.blocks)

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
        for j, small in enumerate(self.subgroup.irreps):
            for component in range(small.dim):
                for i, (multiplicities, _) in enumerate(self.alignments):
                    before = sum(
                        m * s.dim
                        for m, s in zip(multiplicities[:j], self.subgroup.irreps[:j], strict=True)
                    )
                    first = before + component * multiplicities[j]
                    yield from (Piece(i, first + c) for c in range(multiplicities[j]))

    # -- through points ---------------------------------------------------------------------

    @cached_property
    def gset(self) -> GSetType:
        """The points that `G` permutes."""
        return gset_for(self.in_type)

    @cached_property
    def gset_after(self) -> tuple[GSetType, np.ndarray]:
        """The same points as an `H`-set, and which channel on points stands where."""
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
