"""What the documents name exists: files, links, commands, options, make targets; their examples run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main

from subgrid.workflows.cli import app

ROOT = Path(__file__).resolve().parents[1]
CODE_FOLDERS = ("contracts", "envs", "fortran_bridge", "jax_models", "sims", "validation", "workflows")
OTHER_FOLDERS = ("tests", "examples", "benchmarks", "docs", "cmake", ".ci")
# Suffixes of files that hold no text.
BINARY = {".nc", ".png", ".bin", ".jax", ".mlir", ".npy", ".npz"}


def tracked() -> list[Path]:
    """Files that the repository holds."""
    if not (ROOT / ".git").exists():
        pytest.skip("the list of the repository's files comes from git, which is not here")
    answer = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    """Every Markdown file."""
    return [path for path in tracked() if path.suffix == ".md"]


def code_blocks(text: str, language: str = "") -> list[str]:
    """Fenced blocks of one language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def test_every_link_leads_somewhere():
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert dead == []


def test_every_path_that_is_named_exists():
    folders = "|".join(map(re.escape, CODE_FOLDERS + OTHER_FOLDERS))
    named = re.compile(rf"(?<![\w/.-])((?:{folders})/[\w./-]+\.(?:py|f90|c|h|md|cmake|png|sh|nc|txt|in))\b")
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in named.findall(path.read_text())
        if not (ROOT / target).exists()
    ]
    assert dead == []


def spoken_commands() -> list[tuple[Path, list[str]]]:
    """(document, words after `subgrid`) of every command in code blocks and in back-quotes."""
    lines = []
    for path in documents():
        text = path.read_text().replace("\\\n", " ")  # a command may go on in the next line
        blocks = [line.strip() for block in code_blocks(text) for line in block.splitlines()]
        indented = [line.strip() for line in re.findall(r"^    (subgrid .*)$", text, flags=re.MULTILINE)]
        quoted = re.findall(r"`(subgrid [^`]+)`", text)
        for line in [*blocks, *indented, *quoted]:
            if re.match(r"subgrid [a-z-]", line):
                lines.append((path, shlex.split(line, comments=True)[1:]))
    return lines


def test_commands_and_options_of_the_documents_exist():
    group = typer.main.get_command(app)
    unknown, seen = [], 0
    for path, words in spoken_commands():
        seen += 1
        command, rest = group, list(words)
        while rest and hasattr(command, "commands") and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        stray = [word for word in rest if word.startswith("--") and word not in options]
        if stray or (hasattr(command, "commands") and rest and rest[0][0].isalpha()):
            unknown.append(f"{path.relative_to(ROOT)}: subgrid {' '.join(words)}")
    assert unknown == []
    assert seen > 10


def test_make_targets_of_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {
        target
        for path in documents()
        for target in re.findall(
            r"(?:^|`)make (?:[A-Z]\S+ )?([a-z][a-z-]*)(?:`|\s*$|\s+#)", path.read_text(), re.MULTILINE
        )
    }
    assert {"demo", "test", "build"} <= named
    assert named <= targets


def test_architecture_describes_every_folder():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}
    assert {folder for folder in folders if f"\n{folder}/" not in text} == set()


def test_readme_fits_one_screen_and_shows_the_demo():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 60
    assert "docs/images/demo.png" in text
    assert (ROOT / "docs/images/demo.png").stat().st_size < 300_000


def test_the_closure_of_the_how_to_runs():
    namespace = {"__name__": "how_to"}
    for block in code_blocks((ROOT / "docs/how_to/write_a_closure.md").read_text(), "python"):
        exec(compile(block, "write_a_closure.md", "exec"), namespace)
    assert namespace["vorticity"].shape == (32, 32)
    assert abs(namespace["vorticity"]).max() > 0


# Spelled in pieces, or this file would name them too.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.}])/(?:work|root|home)/\w|(?<![\w.}])/t" + r"mp/\w",
    "a host of packages": "|".join(["py" + r"pi\.org", "python" + "hosted", "conda" + r"\.org"]),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_names(what):
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in tracked():
        if path.suffix not in BINARY and path.name != "LICENSE":
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}")
    assert found == []
