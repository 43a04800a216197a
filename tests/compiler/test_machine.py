"""What is kept of a machine."""

from pathlib import Path

import pytest

from irrepnet._errors import CalibrationError
from irrepnet.compiler import NOMINAL, Machine, Rates
from irrepnet.compiler._machine import calibration_path

MEASURED = Machine(Rates(1e11, 1e10, 1e-6), Rates(3e11, 2e10, 2e-6), "test")


def test_what_is_saved_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new folder" / "calibration.json"
    monkeypatch.setenv("IRREPNET_CALIBRATION", str(path))
    assert Machine.load() is NOMINAL
    assert MEASURED.save() == path
    found = Machine.load()
    assert (found.float32, found.bfloat16) == (MEASURED.float32, MEASURED.bfloat16)
    assert found.source == f"measured, {path}"
    assert found.rates("bfloat16") == MEASURED.bfloat16
    assert found.rates("float64") == MEASURED.float32


def test_it_is_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRREPNET_CALIBRATION", "")
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    path = calibration_path()
    assert path.is_relative_to(tmp_path)
    assert path.parts[-2:] == ("irrepnet", "calibration.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not JSON", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"float32": {"flops": 1, "bandwidth": 1, "call": 1}}', "KeyError: 'bfloat16'"),
        (
            '{"float32": {"flops": 0, "bandwidth": 1, "call": 1}}',
            r"ValueError: got Rates\(flops=0.0",
        ),
        (
            '{"float32": {"flops": NaN, "bandwidth": 1, "call": 1}}',
            r"ValueError: got Rates\(flops=nan",
        ),
        ('{"float32": {"flops": 1, "bandwidth": 1}}', "KeyError: 'call'"),
    ],
)
def test_a_bad_file(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("IRREPNET_CALIBRATION", str(path))
    with pytest.raises(CalibrationError, match=rf"holds no calibration \({problem}.*--calibrate"):
        Machine.load()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"cannot write .* IRREPNET_CALIBRATION names an"):
        MEASURED.save(tmp_path / "file" / "calibration.json")
