"""The outside: published checkpoints."""

from irrepnet.interop._load import KINDS as KINDS
from irrepnet.interop._load import load_flopping as load_flopping
