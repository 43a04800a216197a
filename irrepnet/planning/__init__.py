"""What networks are expected to take, and which types to choose for that."""

from irrepnet.planning._break_even import BreakEven as BreakEven
from irrepnet.planning._break_even import break_even as break_even
from irrepnet.planning._cost_models import COST_MODELS as COST_MODELS
from irrepnet.planning._cost_models import alpha as alpha
from irrepnet.planning._cost_models import predicted_seconds as predicted_seconds
from irrepnet.planning._plan_type import OBJECTIVES as OBJECTIVES
from irrepnet.planning._plan_type import TypePlan as TypePlan
from irrepnet.planning._plan_type import plan_type as plan_type
from irrepnet.planning._search import Demands as Demands
from irrepnet.planning._search import cheapest as cheapest
