"""The types of the language: what a feature axis holds, in irreps or on points."""

from irrepnet.types._feature_type import Block as Block
from irrepnet.types._feature_type import FeatureType as FeatureType
from irrepnet.types._fixed_dims import fixed_dims as fixed_dims
from irrepnet.types._fixed_dims import grid_orbits as grid_orbits
from irrepnet.types._grid_rules import check_preserves as check_preserves
from irrepnet.types._grid_rules import convolved_grid as convolved_grid
from irrepnet.types._grid_rules import tiled_grid as tiled_grid
from irrepnet.types._gset_solver import gset_for as gset_for
from irrepnet.types._gset_type import GSetType as GSetType
from irrepnet.types._gset_type import Orbits as Orbits
from irrepnet.types._gset_type import canonical_stabiliser as canonical_stabiliser
from irrepnet.types._restriction import Restriction as Restriction
from irrepnet.types._rules import ACTIVATION_BASES as ACTIVATION_BASES
from irrepnet.types._rules import CENTRINGS as CENTRINGS
from irrepnet.types._rules import INVARIANTS as INVARIANTS
from irrepnet.types._rules import LINEAR_LOWERINGS as LINEAR_LOWERINGS
from irrepnet.types._rules import POOLS as POOLS
from irrepnet.types._rules import WEIGHTINGS as WEIGHTINGS
from irrepnet.types._rules import check_choice as check_choice
from irrepnet.types._rules import check_linear as check_linear
from irrepnet.types._rules import check_norm as check_norm
from irrepnet.types._rules import head_type as head_type
from irrepnet.types._rules import num_invariants as num_invariants
from irrepnet.types._slots import Run as Run
from irrepnet.types._window_type import WindowType as WindowType
