"""The inputs that fuzzing has kept, replayed; and a run of the fuzzer, as short as it can be."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.support.findings import Findings
from tools.fuzz import KEPT
from tools.fuzz.__main__ import NO_FUZZER, fuzz, main
from tools.fuzz.corpus import TARGETS, keep

INPUTS = [
    pytest.param(target, path, id=f"{target}/{path.name}")
    for target in TARGETS
    for path in sorted((KEPT / target).iterdir())
]


@pytest.mark.parametrize(("target", "path"), INPUTS)
def test_a_kept_input_breaks_no_promise(target: str, path: Path) -> None:
    """Whatever once reached a place of its own in the code still keeps every promise."""
    assert TARGETS[target](path.read_bytes())


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("bodies", {"id", "forced", "forward", "due", "Empty", "BadJson", "NoId", "NotAnId"}),
        (
            "responses",
            {
                *("malformed", "silent", "complaint", "permanent_bounce", "rejected", "sent"),
                *("rendering_failure", "transient_bounce", "undetermined_bounce", "clicked"),
                *("opened", "delivered", "delayed"),
            },
        ),
    ],
)
def test_kept_inputs_come_to_every_end(target: str, words: set[str]) -> None:
    """There are inputs for every outcome, and so for every refusal and every status."""
    ends = {TARGETS[target](path.read_bytes()) for path in (KEPT / target).iterdir()}
    assert ends == words


def test_what_is_kept_is_small() -> None:
    """Two hundred kilobytes in all, so that a clone of the project stays small."""
    assert sum(path.stat().st_size for path in KEPT.rglob("*")) < 200_000


def test_what_is_found_is_kept_once_under_a_name_that_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new input is added beside the others; one that is there under another name is not."""
    kept, found = tmp_path / "bodies", tmp_path / "found"
    kept.mkdir()
    found.mkdir()
    (kept / "nothing").write_bytes(b"")
    (found / "da39a3").write_bytes(b"")
    (found / "7e2ab1").write_bytes(b"Zaphod")
    monkeypatch.setattr("tools.fuzz.corpus.KEPT", tmp_path)
    assert keep("bodies", found) == 1
    assert {path.name.partition("-")[0] for path in kept.iterdir()} == {"nothing", "NotAnId"}


def test_a_machine_without_the_fuzzer_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no atheris but for Linux on x86_64: a sentence and an exit status, no traceback."""
    monkeypatch.setitem(sys.modules, "atheris", None)
    assert main([]) == 2
    assert capsys.readouterr().err == f"{NO_FUZZER}\n"


def test_a_target_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of nothing would look like a good one."""
    with pytest.raises(SystemExit):
        main(["bodeis"])
    assert "no such target: bodeis" in capsys.readouterr().err


THERE_IS_A_FUZZER = importlib.util.find_spec("atheris") is not None


def test_a_short_run_of_the_fuzzer_finds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the kept inputs and a fixed seed on, a thousand new ones break no promise."""
    status = main(["--runs", "1000", "--crashes", str(tmp_path)])
    out, err = capsys.readouterr()
    if THERE_IS_A_FUZZER:
        assert status == 0, err
        lines = out.splitlines()
        assert [line.partition(":")[0] for line in lines] == list(TARGETS)
        assert all(" executions 1,000, " in line for line in lines)
        assert all(line.endswith("crashes 0") for line in lines)
    else:
        assert (status, err) == (2, f"{NO_FUZZER}\n")


@pytest.mark.prove
@pytest.mark.parametrize("target", TARGETS)
def test_a_minute_of_fuzzing_finds_nothing(
    target: str, tmp_path: Path, findings: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute for each target, from the kept inputs on: no promise is broken."""
    if not THERE_IS_A_FUZZER:
        assert main([target]) == 2
        return
    run = fuzz(target, "-max_total_time=60", seed=1, crashes=tmp_path)
    assert run.ended_well, capsys.readouterr().err
    findings.add(
        "Fuzzing",
        {
            "Target": target,
            "Inputs tried": f"{run.tried:,}",
            "Inputs kept": run.kept,
            "Edges reached": run.edges,
            "Promises broken": len(run.crashes),
        },
    )
