"""From a spec to a network: check, plan, cost, emit."""

from irrepnet.compiler import _channel_rules as _channel_rules
from irrepnet.compiler import _conv_rules as _conv_rules
from irrepnet.compiler import _map_rules as _map_rules
from irrepnet.compiler import _mixing_rules as _mixing_rules
from irrepnet.compiler import _nonlinear_rules as _nonlinear_rules
from irrepnet.compiler import _prefix_rules as _prefix_rules
from irrepnet.compiler import _token_rules as _token_rules
from irrepnet.compiler import _window_rules as _window_rules
from irrepnet.compiler._check import check as check
from irrepnet.compiler._cost import Row as Row
from irrepnet.compiler._cost import cost as cost
from irrepnet.compiler._edge import Edge as Edge
from irrepnet.compiler._edge import Features as Features
from irrepnet.compiler._edge import Images as Images
from irrepnet.compiler._emit import compile as compile
from irrepnet.compiler._emit import plan_network as plan_network
from irrepnet.compiler._graph import graph as graph
from irrepnet.compiler._machine import NOMINAL as NOMINAL
from irrepnet.compiler._machine import Machine as Machine
from irrepnet.compiler._machine import Rates as Rates
from irrepnet.compiler._plan import Node as Node
from irrepnet.compiler._plan import Plan as Plan
from irrepnet.compiler._rule import Cost as Cost
from irrepnet.compiler._rule import Factory as Factory
from irrepnet.compiler._rule import LayerRule as LayerRule
from irrepnet.compiler._rule import register as register
