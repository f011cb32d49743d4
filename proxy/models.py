"""The models behind the proxy, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from proxy.errors import UnknownModel
from proxy.pipeline import Pipeline


class Models:
    """Hold the pipeline of each model; it is empty until the proxy runs."""

    def __init__(self) -> None:
        self._pipelines: Mapping[str, Pipeline] = {}

    def __iter__(self) -> Iterator[Pipeline]:
        return iter(self._pipelines.values())

    def open(self, pipelines: Mapping[str, Pipeline]) -> None:
        """Take the pipelines, once their connections can live."""
        self._pipelines = pipelines

    def find(self, name: str) -> Pipeline:
        """Return the pipeline of a model.

        Raises:
            UnknownModel: The proxy is not configured with it.
        """
        if name not in self._pipelines:
            raise UnknownModel(
                where="request path",
                found=f"the model {name[:80]!r}",
                reason=f"The proxy is configured with {', '.join(sorted(self._pipelines)) or 'no model at all'}",
                remedy="Name one of these, or add the model to the site",
            )
        return self._pipelines[name]

    async def close(self, grace_seconds: float) -> None:
        """Close the ways to the model servers, letting calls under way end within a time."""
        await asyncio.gather(*(pipeline.close(grace_seconds) for pipeline in self))
