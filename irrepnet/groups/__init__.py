"""Finite groups: constructors, families, names, subgroups, homomorphisms."""

from irrepnet.groups._cayley import from_cayley_table as from_cayley_table
from irrepnet.groups._families import alternating as alternating
from irrepnet.groups._families import cyclic as cyclic
from irrepnet.groups._families import dicyclic as dicyclic
from irrepnet.groups._families import dihedral as dihedral
from irrepnet.groups._families import flop as flop
from irrepnet.groups._families import klein_four as klein_four
from irrepnet.groups._families import octic as octic
from irrepnet.groups._families import quaternion as quaternion
from irrepnet.groups._families import symmetric as symmetric
from irrepnet.groups._families import trivial as trivial
from irrepnet.groups._generated import generated as generated
from irrepnet.groups._group import ConjugacyClass as ConjugacyClass
from irrepnet.groups._group import Group as Group
from irrepnet.groups._homomorphism import Homomorphism as Homomorphism
from irrepnet.groups._homomorphism import homomorphism as homomorphism
from irrepnet.groups._lattice import subgroup_lattice as subgroup_lattice
from irrepnet.groups._linear_groups import general_linear as general_linear
from irrepnet.groups._linear_groups import mathieu_11 as mathieu_11
from irrepnet.groups._linear_groups import projective_special_linear as projective_special_linear
from irrepnet.groups._linear_groups import special_linear as special_linear
from irrepnet.groups._matrices import from_matrices as from_matrices
from irrepnet.groups._names import parse as parse
from irrepnet.groups._normal import centre as centre
from irrepnet.groups._normal import commutator_subgroup as commutator_subgroup
from irrepnet.groups._normal import derived_series as derived_series
from irrepnet.groups._normal import is_solvable as is_solvable
from irrepnet.groups._normal import normal_closure as normal_closure
from irrepnet.groups._permutations import from_permutations as from_permutations
from irrepnet.groups._polyhedral import hyperoctahedral as hyperoctahedral
from irrepnet.groups._polyhedral import icosahedral as icosahedral
from irrepnet.groups._polyhedral import octahedral as octahedral
from irrepnet.groups._polyhedral import tetrahedral as tetrahedral
from irrepnet.groups._products import direct_product as direct_product
from irrepnet.groups._products import semidirect_product as semidirect_product
from irrepnet.groups._products import wreath_product as wreath_product
from irrepnet.groups._quotient import quotient as quotient
from irrepnet.groups._quotient import quotient_map as quotient_map
from irrepnet.groups._recipes import from_recipe as from_recipe
from irrepnet.groups._subgroup import Subgroup as Subgroup
from irrepnet.groups._subgroup import double_cosets as double_cosets
from irrepnet.groups._subgroup import subgroup as subgroup
from irrepnet.groups._subgroup_classes import (
    conjugacy_classes_of_subgroups as conjugacy_classes_of_subgroups,
)
