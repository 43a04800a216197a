"""Kernels in processes that fork, and in several at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FORKS = """
import atexit, os
import torch
from irrepnet.nn.native import Attention, Conjugation, _kept
from irrepnet.nn.native._library import library

def child(work):
    # Runs work in a fork and what Python does at exit, but not the destructors of C++: those of
    # torch wait for threads that a fork does not have.
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except Exception as problem:
            print(repr(problem), flush=True)
            os._exit(1)
        atexit._run_exitfuncs()
        os._exit(0)
    return pid

def wait(pids):
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * len(pids)

def same(text, number):
    assert library(text).answer() == number

# Several processes compile the same text at once.
wait([child(lambda: same("int answer(void) { return 13; }", 13)) for _ in range(4)])
assert len(list(_kept.folder().iterdir())) == 1

# A child of a process that has used two threads uses two of its own.
torch.set_num_threads(2)
kernel = Conjugation(((1.0, 1.0), (1.0, -1.0)), ((0.5, 0.5), (0.5, -0.5)), 64, (0, 64), (0, 64))
x = torch.randn(2000, 128)
attention = Attention(((0, 0, 32),), 2)
tokens = torch.randn(4, 128, 96)
def out():
    y = torch.empty_like(x)
    assert kernel.serves("gelu", x) and attention.serves(tokens)
    kernel.write("gelu", y, x)
    return y, attention.forward(tokens)
expected = out()
def compare():
    assert all(map(torch.equal, out(), expected))
    wait([child(lambda: None)])
wait([child(compare), child(compare)])
assert all(map(torch.equal, out(), expected))

# The folder of one process is not removed by its children, and removed by itself.
os.environ["XDG_CACHE_HOME"] = "/proc"
own = _kept.folder()
same("int answer(void) { return 14; }", 14)
def elsewhere():
    assert _kept.folder() != own
    same("int answer(void) { return 15; }", 15)
    print(_kept.folder(), flush=True)
wait([child(elsewhere)])
same("int answer(void) { return 16; }", 16)
print(own)
"""


@pytest.mark.usefixtures("cache")
def test_forks_and_processes_at_once(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(script)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folders = done.stdout.split()
    assert len(set(folders)) == 2
    assert not any(map(os.path.exists, folders))
