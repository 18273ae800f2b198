"""Every output can say where it comes from."""

import re

import numpy as np

from subgrid.contracts import provenance as module
from subgrid.contracts.provenance import git_revision, provenance


def test_it_names_time_revision_and_versions():
    origin = provenance()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", origin["created"])
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", origin["git_revision"])
    assert origin["numpy"] == np.__version__
    assert {"python", "subgrid"} <= origin.keys()
    assert all(isinstance(value, str) for value in origin.values())


def test_source_date_epoch_fixes_the_time(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert provenance()["created"] == "1970-01-01T00:00:00Z"


def test_outside_a_checkout_the_revision_is_unknown(monkeypatch, tmp_path):
    (tmp_path / "contracts").mkdir()
    monkeypatch.setattr(module, "__file__", str(tmp_path / "contracts" / "provenance.py"))
    assert git_revision.__wrapped__() == "unknown"
