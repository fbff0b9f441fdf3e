"""What is handed over to a workflow in place of settings is refused before any file is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import volskew as vs
from volskew.errors import SettingsError

_WORKFLOWS: dict[str, Callable[..., Any]] = {
    "rank_files": vs.rank_files,
    "measure_files": vs.measure_files,
    "attribute_files": vs.attribute_files,
    "explain_readings": vs.explain_readings,
    "verify_file": vs.verify_file,
    "read_chain": vs.read_chain,
}


@pytest.mark.parametrize("given", [0.04, 0, "fast", {}, vs.Settings], ids=str)
@pytest.mark.parametrize("function", _WORKFLOWS.values(), ids=_WORKFLOWS)
def test_settings_that_are_none_are_named(function: Callable[..., Any], given: object) -> None:
    with pytest.raises(SettingsError, match=r"settings must be a Settings\(\.\.\.\), or None"):
        function("none.csv", settings=given)
