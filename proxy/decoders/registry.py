"""The registry of decoders: a new one is a file beside the others and its name in the union here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from proxy.decoders.centernet import Centernet
from proxy.decoders.nanodet import Nanodet
from proxy.decoders.top_k import TopK
from proxy.decoders.yolo import Yolo

Decoder = Annotated[Nanodet | Centernet | Yolo | TopK, Field(discriminator="decoder")]
