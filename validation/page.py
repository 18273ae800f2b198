"""One HTML page from a title, a few sentences, tables and figures; and the same numbers in JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ..contracts.files import writing


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header; cells are text already, a second line of which is small and grey."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture (data URI) with its caption."""

    uri: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, then tables and figures."""

    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Page:
    """A report: what it says in one paragraph, its sections, and its origin (config, versions, …)."""

    title: str
    summary: str
    sections: Sequence[Section]
    origin: Mapping[str, str] = field(default_factory=dict)


def write_report(directory: Path, page: Page, numbers: Mapping, *, overwrite: bool = False) -> Path:
    """Write `report.html` and `report.json` (`numbers` and the origin) into `directory`, made if need be;
    return the page's path."""
    directory.mkdir(parents=True, exist_ok=True)
    html = directory / "report.html"
    with (
        writing(html, overwrite=overwrite) as page_file,
        writing(directory / "report.json", overwrite=overwrite) as numbers_file,
    ):
        page_file.write_text(render(page), encoding="utf-8")
        content = plain({**numbers, "origin": page.origin})
        numbers_file.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    return html


def render(page: Page) -> str:
    """The page as HTML text."""
    environment = Environment(
        loader=PackageLoader("subgrid.validation", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(page=page)


def plain(value):
    """Numbers, lists and dictionaries of Python; what is not finite becomes None (JSON has no NaN)."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
