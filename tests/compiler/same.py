"""What every pass keeps: keys, values, counts, types."""

from dataclasses import replace

import torch

import irrepnet as ir
from irrepnet import testing
from irrepnet.compiler import Factory, Plan, check, passes
from irrepnet.compiler._emit import emit


def plain(spec):
    """The network as declared, without any pass."""
    root = check(spec)
    return emit(Plan(root, "block", root.spec), Factory(dtype=torch.float64))


def assert_same(spec, pass_, lowering="block"):
    """A pass changes neither keys nor values; the plan types."""
    before = testing.randomise_(plain(spec))
    plan = passes.check_types(pass_(replace(before.plan, lowering=lowering)))
    after = emit(plan, Factory(dtype=torch.float64))
    assert list(after.state_dict()) == list(before.state_dict())
    after.load_state_dict(before.state_dict())
    generator = torch.Generator().manual_seed(1)
    x = ir.certificate.random_input(before.plan.source, 3, generator, torch.float64)
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            torch.testing.assert_close(after(x), before(x), rtol=1e-12, atol=1e-12)
    testing.assert_matches_dense(after, x)
    testing.assert_flops(after, tuple(x.shape[1:]))
    return plan
