"""Representations of finite groups: characters, real irreps, decomposition, intertwiners."""

from irrepnet.groups import Group as _Group
from irrepnet.reps._character_table import CharacterTable as CharacterTable
from irrepnet.reps._character_table import character_table as character_table
from irrepnet.reps._decomposition import Decomposition as Decomposition
from irrepnet.reps._decomposition import IsotypicBasis as IsotypicBasis
from irrepnet.reps._fixed import fixed_basis as fixed_basis
from irrepnet.reps._hom import Hom as Hom
from irrepnet.reps._hom import hom as hom
from irrepnet.reps._irrep import Irrep as Irrep
from irrepnet.reps._orbits import OrbitType as OrbitType
from irrepnet.reps._real_irreps import real_irreps as real_irreps
from irrepnet.reps._representation import MatrixRepresentation as MatrixRepresentation
from irrepnet.reps._representation import PermutationRepresentation as PermutationRepresentation
from irrepnet.reps._representation import Representation as Representation
from irrepnet.reps._representation import from_matrices as from_matrices
from irrepnet.reps._representation import permutation as permutation
from irrepnet.reps._representation import quotient as quotient
from irrepnet.reps._representation import regular as regular

_Group.theory["character_table"] = character_table
_Group.theory["irreps"] = real_irreps
