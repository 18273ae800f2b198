"""How a command or a script ends: an error that the user can mend is one sentence and an exit code."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError, SubgridError


@contextmanager
def errors_as_sentences(program: str) -> Iterator[None]:
    """End the process with `program: <sentence>` on stderr and the exit code of a SubgridError."""
    try:
        yield
    except SubgridError as error:
        sys.stderr.write(f"{program}: {error}\n")
        sys.exit(error.exit_code)


def run_script(main: Callable[..., None]) -> None:
    """Call `main` with the words of the command line, one for each of its arguments."""
    script, words = Path(sys.argv[0]).name, sys.argv[1:]
    with errors_as_sentences(script):
        parameters = inspect.signature(main).parameters.values()
        named = [p.name.upper() if p.default is p.empty else f"[{p.name.upper()}]" for p in parameters]
        least = sum(p.default is p.empty for p in parameters)
        if not least <= len(words) <= len(named):
            raise InputError(f"found {len(words)} arguments, expected python {script} {' '.join(named)}.")
        main(*words)
