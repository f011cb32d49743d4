"""Read a site: from Pulumi's configuration, or from its file without Pulumi. All problems are told together."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
import yaml
from pydantic import ValidationError

from components.access_files import AccessFiles, access_problems, read_access_files
from components.artifacts import ArtifactSource
from components.errors import LockTableError, Problem, SiteFileError
from components.field_problems import field_problems
from components.matrix import problems_of_the_file
from components.rules import broken_rules
from components.site import Site, parse
from components.sources import ModelSource, missing_files, read_source

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class LoadedSite:
    """A site and what its file names on this machine."""

    site: Site
    artifacts: ArtifactSource
    """Tables of artifacts, read."""
    sources: tuple[ModelSource, ...]
    """Models, in the order of the site's models."""
    picture_sha256: str
    """Checksum of the picture that proves the site."""
    access: AccessFiles
    """Keys and certificates of the endpoint."""


def cache_folder() -> Path:
    """Return the folder that `${KUBEVC_CACHE}` stands for."""
    if named := os.environ.get("KUBEVC_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kubevc"


def site_from_data(data: Any, subject: str) -> Site:
    """Return the site that plain data describes, checked against itself but not against this machine.

    Raises:
        SiteFileError: Keys, values or rules are broken; every problem is in it.
    """
    try:
        site = parse(data, project=PROJECT, cache=cache_folder())
    except ValidationError as problem:
        raise SiteFileError(subject, field_problems(problem)) from problem
    if problems := broken_rules(site):
        raise SiteFileError(subject, problems)
    return site


def site_data(path: Path) -> Any:
    """Return what a stack's file has under `config > kubevc:site`.

    Raises:
        SiteFileError: The file cannot be read, is not YAML, or has no site.
    """
    try:
        content: Any = yaml.safe_load(path.read_text())
    except OSError as problem:
        raise _unreadable(path, f"the file cannot be read ({problem.strerror})", "Check its name.") from problem
    except yaml.YAMLError as problem:
        raise _unreadable(path, "not YAML: " + " ".join(str(problem).split()), "Mend that line.") from problem
    match content:
        case {"config": {"kubevc:site": {**site}}}:
            return cast(dict[str, Any], site)
        case _:
            raise _unreadable(
                path, "no keys under config > kubevc:site", "Write the site there; see make site NAME=..."
            )


def _unreadable(path: Path, found: str, fix: str) -> SiteFileError:
    problem = Problem(where="(top)", found=found, why="Without it there is no site to build.", fix=fix)
    return SiteFileError(path.name, [problem])


def read_named(site: Site, subject: str) -> LoadedSite:
    """Return a site with the files that it names, read.

    Raises:
        SiteFileError: Something is missing or cannot be read; every problem is in it.
    """
    if problems := [*missing_files(site), *access_problems(site)]:
        raise SiteFileError(subject, problems)
    try:
        artifacts = ArtifactSource.read(site.artifacts.tables, site.artifacts.mirror)
    except LockTableError as error:
        raise SiteFileError(subject, [error.problem]) from error
    if problems := problems_of_the_file(site, artifacts):
        raise SiteFileError(subject, problems)
    return LoadedSite(
        site=site,
        artifacts=artifacts,
        sources=tuple(read_source(model) for model in site.models),
        picture_sha256=hashlib.sha256(site.smoke.picture.read_bytes()).hexdigest(),
        access=read_access_files(site.endpoint),
    )


def load_file(path: Path) -> LoadedSite:
    """Return the site of a stack's file, checked against itself and this machine.

    Raises:
        SiteFileError: Anything is wrong; every problem is in it.
    """
    return read_named(site_from_data(site_data(path), path.name), path.name)


def load_site() -> LoadedSite:
    """Return the site of the stack that Pulumi runs.

    Raises:
        pulumi.RunError: Anything is wrong with the site's file. Pulumi shows its text without a traceback.
    """
    subject = f"Pulumi.{pulumi.get_stack()}.yaml"
    try:
        data = pulumi.Config("kubevc").get_object("site")
        if data is None:
            raise _unreadable(Path(subject), "no keys under config > kubevc:site", "Write it; see make site NAME=...")
        return read_named(site_from_data(data, subject), subject)
    except SiteFileError as problem:
        raise pulumi.RunError(str(problem)) from problem
