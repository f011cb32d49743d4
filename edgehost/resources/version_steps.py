"""Which steps from one version of Kubernetes to another a resource takes."""

from edgehost.errors import InputError
from edgehost.versions import change_problem


def check_versions(running: str | None, wanted: str | None) -> list[InputError]:
    """Return what forbids to lead a cluster from the version that was found to the one that is wanted."""
    if not running or not wanted:
        return []
    problem = change_problem(running, wanted)
    return [InputError("version", problem.found, problem.why, problem.fix)] if problem else []
