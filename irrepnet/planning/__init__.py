"""What networks are expected to take, and which types to choose for that."""

from irrepnet.planning._cost_models import COST_MODELS as COST_MODELS
from irrepnet.planning._cost_models import alpha as alpha
from irrepnet.planning._cost_models import predicted_seconds as predicted_seconds
