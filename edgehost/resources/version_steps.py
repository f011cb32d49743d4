"""Which steps from one version of Kubernetes to another a resource takes."""

from collections.abc import Callable

from edgehost.errors import InputError
from edgehost.versions import VersionProblem, change_problem, kubelet_problem


def check_versions(running: str | None, wanted: str | None) -> list[InputError]:
    """Return what forbids to lead a cluster from the version that was found to the one that is wanted."""
    return _check(change_problem, running, wanted)


def check_kubelet(running: str | None, wanted: str | None) -> list[InputError]:
    """Return what forbids a node of the version that was found in a cluster of the one that is wanted.

    A node that only works may skip versions on its way, because it is drained and keeps nothing.
    """
    return _check(kubelet_problem, running, wanted)


def _check(
    judge: Callable[[str, str], VersionProblem | None], running: str | None, wanted: str | None
) -> list[InputError]:
    if not running or not wanted:
        return []
    problem = judge(running, wanted)
    return [InputError("version", problem.found, problem.why, problem.fix)] if problem else []
