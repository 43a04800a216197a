"""What every layer costs, in numbers and in symbols, compared with what torch measures."""

from irrepnet.accounting import _operators as _operators  # registers what they cost
from irrepnet.accounting._audit import count_operation as count_operation
from irrepnet.accounting._audit import counter as counter
from irrepnet.accounting._audit import measure as measure
from irrepnet.accounting._audit import measure_training as measure_training
from irrepnet.accounting._audit import state_operation as state_operation
from irrepnet.accounting._places import PARTS as PARTS
from irrepnet.accounting._places import places as places
from irrepnet.accounting._report import UNIT as UNIT
from irrepnet.accounting._report import FlopReport as FlopReport
from irrepnet.accounting._report import flops as flops
from irrepnet.accounting._saving import regular_linear as regular_linear
from irrepnet.accounting._saving import regular_saving as regular_saving
from irrepnet.accounting._symbolic import SymbolicReport as SymbolicReport
from irrepnet.accounting._symbolic import SymbolicRow as SymbolicRow
from irrepnet.accounting._symbolic import symbolic as symbolic
