"""The manifest of a bundle: `key = value` lines; typed access says what is wrong (docs/bundle.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import FileError

FORMAT = "subgrid-bundle 1"
END = "manifest"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")
CHECKSUM = re.compile(r"[0-9a-f]{64}")
INSIDE = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*")


def format_manifest(entries: Mapping[str, str]) -> str:
    """The text of a manifest: the format line, the entries in their order, the end line."""
    lines = [f"{key} = {value}" for key, value in entries.items()]
    return "\n".join([f"format = {FORMAT}", *lines, f"end = {END}", ""])


@dataclass(frozen=True)
class Manifest:
    """Entries of a manifest; every accessor raises `FileError` with file, key, found and expected."""

    path: Path
    entries: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileError(
                f"{path} does not exist: {path.parent} is not a bundle; check the path."
            ) from None
        except OSError as error:
            raise FileError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FileError(
                f"{path} is damaged: byte {error.start + 1} is not UTF-8 text; copy the bundle again."
            ) from None
        return cls(path, parse_manifest(text, path))

    def fail(self, key: str, found: str, expected: str) -> FileError:
        return FileError(
            f"{self.path}: {key} is '{found}', expected {expected}; the manifest is damaged or was edited, "
            "export the bundle again."
        )

    def has(self, key: str) -> bool:
        return key in self.entries

    def text(self, key: str) -> str:
        if key not in self.entries:
            raise FileError(f"{self.path}: the key {key} is missing; export the bundle again.")
        return self.entries[key]

    def matching(self, key: str, pattern: re.Pattern, expected: str) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self.fail(key, value, expected)
        return value

    def name(self, key: str) -> str:
        return self.matching(key, NAME, "a name (a letter, then letters, digits, _ - .)")

    def checksum(self, key: str) -> str:
        return self.matching(key, CHECKSUM, "64 lower-case hexadecimal digits")

    def file(self, key: str) -> str:
        value = self.matching(key, INSIDE, "a file inside the bundle")
        if ".." in value.split("/"):
            raise self.fail(key, value, "a file inside the bundle")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.fail(key, value, f"one of {' '.join(allowed)}")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self.text(key)
        return () if value == "none" else tuple(value.split())

    def integers(self, key: str, *, least: int) -> tuple[int, ...]:
        words = self.words(key)
        if any(not (word.isascii() and word.isdigit()) or int(word) < least for word in words):
            raise self.fail(key, self.text(key), f"integers of at least {least}")
        return tuple(int(word) for word in words)

    def integer(self, key: str, *, least: int) -> int:
        values = self.integers(key, least=least)
        if len(values) != 1:
            raise self.fail(key, self.text(key), f"one integer of at least {least}")
        return values[0]

    def real(self, key: str) -> float:
        try:
            return float(self.text(key))
        except ValueError:
            raise self.fail(key, self.text(key), "a real number") from None


def parse_manifest(text: str, path: Path) -> dict[str, str]:
    """Entries between the format line and the end line.

    Raises `FileError` for an unknown format, a missing end line, a line without ` = ` and a repeated key.
    """
    lines = text.split("\n")
    if lines[0].strip() != f"format = {FORMAT}":
        raise FileError(
            f"{path} begins with '{lines[0][:60].strip()}', expected 'format = {FORMAT}': it is no bundle of "
            "a format that this version of subgrid reads; export it again."
        )
    content = [line.strip() for line in lines[1:]]
    while content and not content[-1]:
        content.pop()
    if not content or content[-1] != f"end = {END}":
        raise FileError(f"{path} is truncated: the last line is not 'end = {END}'; copy the bundle again.")
    entries: dict[str, str] = {}
    for number, line in enumerate(content[:-1], start=2):
        if not line or line.startswith("#"):
            continue
        key, equals, value = (line + " ").partition(" = ")
        if not equals:
            raise FileError(
                f"{path}, line {number}: '{line[:60]}' is not 'key = value'; export the bundle again."
            )
        if key in entries:
            raise FileError(f"{path}, line {number}: the key {key} occurs twice; export the bundle again.")
        entries[key] = value.strip()
    return entries
