"""Options of layers are checked when the network is built, naming the layer."""

import pytest
import torch
from torch.autograd import forward_ad

import irrepnet as ir
from irrepnet import FeatureType, specs

G = ir.groups.flop()
X = FeatureType(G, "2*sym + 2*asym")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (specs.LayerNorm(X, eps=-1.0), r"a \(LayerNorm\): got eps=-1.0: expected a number >= 0"),
        (specs.Linear(X, X, init="foo"), r"a \(Linear\): unknown initialisation 'foo': expected"),
        (specs.Linear(X, X, lowering="x"), r"a \(Linear\): unknown lowering 'x': expected one of"),
        (specs.Attention(X, 2, dropout=1.5), r"a \(Attention\): got dropout=1.5: expected 0 <= "),
    ],
)
def test_options_out_of_range(spec, message):
    with pytest.raises(ir.IrrepnetError, match=message):
        ir.compile(specs.Chain((("a", spec),)))


def test_a_type_needs_a_group_and_multiplicities():
    with pytest.raises(ir.IrrepnetError, match=r"got 'flop' as the group of a feature type: expec"):
        FeatureType("flop", "sym")
    with pytest.raises(ir.IrrepnetError, match=r"got 3 as multiplicities: expected text such as"):
        FeatureType(G, 3)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own import
def test_dual_numbers_pass_without_autograd():
    net = ir.compile(specs.Chain((("a", specs.Linear(X, X)), ("b", specs.Activation(X)))))
    x, tangent = torch.randn(3, 4), torch.randn(3, 4)
    with torch.no_grad(), forward_ad.dual_level():
        out = forward_ad.unpack_dual(net(forward_ad.make_dual(x, tangent)))
    expected = torch.func.jvp(net, (x,), (tangent,))[1]
    torch.testing.assert_close(out.tangent, expected)
