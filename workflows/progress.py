"""A progress bar behind the protocol `progress(done, total, **numbers)` that every long computation calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Called now and then with the work done, the whole work, and a few numbers worth seeing."""

    def __call__(self, done: float, total: float, **numbers: float) -> None: ...


def silent(done: float, total: float, **numbers: float) -> None:
    """No progress bar."""


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar with rate, time left and the numbers of the moment."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    def whole(width: int) -> Column:
        """In a narrow terminal the bar gives way first, then the numbers at the end."""
        return Column(no_wrap=True, min_width=width)

    columns = (
        TextColumn("{task.description:<28}", table_column=Column(no_wrap=True)),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %", table_column=whole(5)),
        TimeElapsedColumn(table_column=whole(7)),
        TextColumn("left", table_column=whole(4)),
        TimeRemainingColumn(table_column=whole(7)),
        TextColumn("{task.fields[rate]}  {task.fields[numbers]}", table_column=Column(no_wrap=True)),
    )
    with Bar(*columns) as bar:
        task = bar.add_task(label, total=1.0, rate="", numbers="")

        def update(done: float, total: float, **numbers: float) -> None:
            speed = bar.tasks[task].speed
            bar.update(
                task,
                completed=done,
                total=total,
                rate=f"{speed:.3g}/s" if speed else "",
                numbers="  ".join(f"{name} {value:.4g}" for name, value in numbers.items()),
            )

        try:
            yield update
        finally:
            bar.live.transient = bar.tasks[task].completed == 0  # nothing done: leave the line to the error
