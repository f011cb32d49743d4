"""Facts about the repository that readers rely on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows below the root and that match the patterns."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def paths_in_prose(page: Path) -> set[str]:
    """Return what a page writes in backquotes and that looks like a path of this repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    quoted = re.findall(r"`([A-Za-z0-9_.][\w./-]*/?)`", text)
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = {q.rstrip("/") for q in quoted if "/" in q or q.endswith((".md", ".py", ".yaml", ".toml"))}
    rooted = {path for path in paths if not re.search(r"[A-Z]{4}", path)}  # NAME stands for a reader's own.
    return {q for q in rooted if q.split("/")[0] in TOP} | {
        str((page.parent / link).resolve().relative_to(ROOT)) for link in linked
    }


TOP = {path.relative_to(ROOT).parts[0] for path in tracked()}
PAGES = [ROOT / "README.md", *tracked("docs/*.md", "docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    missing = {name for name in paths_in_prose(page) if not any(ROOT.glob(name))}
    assert not missing


def test_every_verb_of_the_makefile_that_the_readme_names_exists() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named - {"-s"} <= verbs


def test_every_test_function_is_in_a_file_that_pytest_collects() -> None:
    strays = [
        path
        for path in tracked("tests/*.py", "tests/**/*.py")
        if not path.name.startswith("test_") and re.search(r"^(async )?def test_", path.read_text(), flags=re.M)
    ]
    assert not strays


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
