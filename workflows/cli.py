"""The `subgrid` command: calls one workflow and turns its errors into one sentence and an exit code."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from typer.core import TyperGroup

from ..contracts.errors import SubgridError
from ..contracts.script import errors_as_sentences
from .commands import bundles, climsim, closure, les, physics, reference, train


class Interruption(SubgridError):
    """The user, or the batch system, wants the run to end; what was saved is said, if the command said it."""

    exit_code = 130


class Commands(TyperGroup):
    """The commands, with interruptions as errors: typer itself ends without a word."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            raise Interruption("; ".join(["interrupted", *map(str, interruption.args)])) from interruption


app = typer.Typer(
    cls=Commands,
    name="subgrid",
    help="Learned subgrid physics inside simulators: train in JAX, prove offline, run from Fortran.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(les.demo)
app.command("dns")(reference.dns)
app.command("inspect")(bundles.inspect)
app.command("doctor")(bundles.doctor)

run = typer.Typer(help="Run a simulation.", no_args_is_help=True)
run.command("les")(les.run_les)
app.add_typer(run, name="run")

training = typer.Typer(help="Train a learned scheme and export it as a bundle.", no_args_is_help=True)
training.command("closure")(train.closure)
training.command("climsim")(climsim.train)
app.add_typer(training, name="train")

validate = typer.Typer(help="Prove a learned scheme against references.", no_args_is_help=True)
validate.command("les")(les.validate_les)
validate.command("closure")(closure.validate)
validate.command("climsim")(climsim.validate)
app.add_typer(validate, name="validate")

data = typer.Typer(help="Prepare data sets.", no_args_is_help=True)
data.command("climsim")(climsim.pack)
app.add_typer(data, name="data")

column_physics = typer.Typer(help="Column physics on files.", no_args_is_help=True)
column_physics.command("mskf")(physics.mskf)
column_physics.command("columns")(physics.columns)
app.add_typer(column_physics, name="physics")


def main() -> None:
    """Entry point of the console script."""
    with errors_as_sentences("subgrid"), terminated_as_interrupted():
        app()


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, which ends a batch job, does what Ctrl-C does: files are closed, programs stopped."""

    def interrupt(number, frame):
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):  # ignored, as in a background job of a script
            raise KeyboardInterrupt
        handler(number, frame)

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
