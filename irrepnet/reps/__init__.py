"""Representations of finite groups: characters, real irreps, decomposition, intertwiners."""

from irrepnet.groups import Group as _Group
from irrepnet.reps._branching import Coupling as Coupling
from irrepnet.reps._branching import alignment as alignment
from irrepnet.reps._branching import branching as branching
from irrepnet.reps._branching import bratteli_diagram as bratteli_diagram
from irrepnet.reps._branching import clebsch_gordan as clebsch_gordan
from irrepnet.reps._character_table import CharacterTable as CharacterTable
from irrepnet.reps._character_table import character_table as character_table
from irrepnet.reps._composite import IsotypicRepresentation as IsotypicRepresentation
from irrepnet.reps._composite import SumRepresentation as SumRepresentation
from irrepnet.reps._composite import direct_sum as direct_sum
from irrepnet.reps._composite import isotypic as isotypic
from irrepnet.reps._decomposition import Decomposition as Decomposition
from irrepnet.reps._decomposition import IsotypicBasis as IsotypicBasis
from irrepnet.reps._fixed import fixed_basis as fixed_basis
from irrepnet.reps._hom import Hom as Hom
from irrepnet.reps._hom import hom as hom
from irrepnet.reps._induction import induce as induce
from irrepnet.reps._induction import restrict as restrict
from irrepnet.reps._invariants import invariant_dimensions as invariant_dimensions
from irrepnet.reps._invariants import molien_series as molien_series
from irrepnet.reps._invariants import polynomial_invariants as polynomial_invariants
from irrepnet.reps._irrep import Irrep as Irrep
from irrepnet.reps._matrix import from_matrices as from_matrices
from irrepnet.reps._orbits import OrbitType as OrbitType
from irrepnet.reps._permutation import PermutationRepresentation as PermutationRepresentation
from irrepnet.reps._permutation import permutation as permutation
from irrepnet.reps._permutation import quotient as quotient
from irrepnet.reps._permutation import regular as regular
from irrepnet.reps._permutation import signed_permutation as signed_permutation
from irrepnet.reps._real_irreps import real_irreps as real_irreps
from irrepnet.reps._representation import MatrixRepresentation as MatrixRepresentation
from irrepnet.reps._representation import Representation as Representation
from irrepnet.reps._tensor import dual as dual
from irrepnet.reps._tensor import exterior_square as exterior_square
from irrepnet.reps._tensor import of_irrep as of_irrep
from irrepnet.reps._tensor import symmetric_square as symmetric_square
from irrepnet.reps._tensor import tensor as tensor

_Group.theory["character_table"] = character_table
_Group.theory["irreps"] = real_irreps
