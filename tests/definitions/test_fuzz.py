from __future__ import annotations

from tests.definitions import fuzz


def test_two_thousand_damaged_files_give_diagnostics_and_nothing_worse() -> None:
    """The long form: python tests/definitions/fuzz.py --inputs 100000."""
    assert fuzz.run(2000, seed=1) == []


def test_the_fuzzer_finds_a_broken_promise(monkeypatch, capsys) -> None:
    def broken(content: bytes) -> None:
        assert b"{" not in content

    monkeypatch.setattr(fuzz, "try_one", broken)
    assert fuzz.run_batch(1, 50) == 1
    assert "seed 1, input" in capsys.readouterr().err
