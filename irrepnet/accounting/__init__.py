"""FLOPs and parameters, layer by layer, compared with what torch measures."""

from irrepnet.accounting._audit import measure as measure
from irrepnet.accounting._audit import state_operation as state_operation
from irrepnet.accounting._report import UNIT as UNIT
from irrepnet.accounting._report import FlopReport as FlopReport
from irrepnet.accounting._report import flops as flops
