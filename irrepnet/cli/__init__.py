"""The command `irrepnet`: parse, call, print."""

from irrepnet.cli._main import main as main
