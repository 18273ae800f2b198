"""Options that do nothing where they were given are refused: nobody shall believe that they acted."""

from collections.abc import Iterable

import typer

from ...contracts.errors import InputError


def given(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Those of the options `names` (parameters of the command) that were given, as they are typed."""
    options = {option.name: option.opts[0] for option in context.command.params}
    # By name: the kind that comes back belongs to click or to typer, as their versions have it.
    return [options[name] for name in names if context.get_parameter_source(name).name != "DEFAULT"]


def refuse_without_effect(context: typer.Context, names: Iterable[str], where: str, remedy: str = "") -> None:
    """InputError that lists those of the options `names` that were given; `where` says why they do nothing,
    `remedy` what to do to have them, where that is possible."""
    found = given(context, names)
    if found:
        have = "has" if len(found) == 1 else "have"
        them = "it" if len(found) == 1 else "them"
        remedy = f" or {remedy}" if remedy else ""
        raise InputError(f"{', '.join(found)} {have} no effect {where}; leave {them} out{remedy}.")
