"""Where kernels can run: on a GPU in this process, else see test_interpreter.py."""

from irrepnet.nn.kernels import available

collect_ignore = [] if available() else ["running"]
