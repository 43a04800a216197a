"""Time and memory of networks, measured in fresh processes."""

from irrepnet.measure._calibration import calibrate as calibrate
from irrepnet.measure._calibration import fit_alpha as fit_alpha
from irrepnet.measure._interleaved import interleaved as interleaved
from irrepnet.measure._latency import Latency as Latency
from irrepnet.measure._latency import latency as latency
from irrepnet.measure._layer_clock import LayerClock as LayerClock
from irrepnet.measure._machine import Machine as Machine
from irrepnet.measure._machine import machine as machine
from irrepnet.measure._memory import Memory as Memory
from irrepnet.measure._memory import memory as memory
from irrepnet.measure._memory import peak_bytes as peak_bytes
from irrepnet.measure._memory import saved_bytes as saved_bytes
from irrepnet.measure._peak_allocated import peak_allocated as peak_allocated
from irrepnet.measure._reference import reference as reference
from irrepnet.measure._settings import DTYPES as DTYPES
from irrepnet.measure._settings import Settings as Settings
from irrepnet.measure._subject import Subject as Subject
from irrepnet.measure._timing import Timing as Timing
from irrepnet.measure._units import Units as Units
from irrepnet.measure._units import unit_paths as unit_paths
from irrepnet.measure._units import units as units
from irrepnet.measure._worker_process import MALLOC as MALLOC
from irrepnet.measure._worker_process import Progress as Progress
from irrepnet.measure._worker_process import silent as silent
