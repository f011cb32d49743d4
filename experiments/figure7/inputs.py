"""What the figure sends: the paper's four models, with a picture or a text for each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments import four_models
from experiments.paper import BERT
from experiments.pictures import as_array, original_upload
from experiments.process import run


@dataclass(frozen=True)
class FigureModel:
    """A model on disk, and the same input as arrays and as what a user has."""

    name: str
    folder: Path
    arrays: dict[str, np.ndarray]
    body: bytes
    media: str

    @property
    def provenance(self) -> dict[str, Any]:
        """Return where the model comes from."""
        sizes = (path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return {
            "made by": "python -m experiments.paper_models",
            "weights": "random",
            "recipe": (self.folder / ".recipe").read_text().strip(),
            "bytes on disk": sum(sizes),
        }

    def write(self, folder: Path) -> dict[str, str]:
        """Write arrays and body as files; return what the sender must know."""
        arrays, body = folder / f"{self.name}.npz", folder / f"{self.name}.body"
        np.savez(arrays, **self.arrays)
        body.write_bytes(self.body)
        return {"name": self.name, "arrays": str(arrays), "body": str(body), "media": self.media}


def figure_models() -> list[FigureModel]:
    """Make the models if they are not there, and return them in the paper's order."""
    said = run([sys.executable, "-m", "experiments.paper_models"], seconds=3600)
    folders = {Path(line).name: Path(line) for line in said.splitlines()}
    picture = original_upload()
    found = [
        FigureModel(name, folders[name], {model.tensor: as_array(picture, model.side)}, picture, "image/jpeg")
        for name, model in four_models.PICTURE_MODELS.items()
    ]
    arrays = four_models.token_arrays()
    return [*found, FigureModel(BERT, folders[BERT], arrays, four_models.TEXT.encode(), "text/plain")]
