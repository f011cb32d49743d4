"""The first inferences of a process, all at the same time: `first_inferences.py VERSION_FOLDER`.

Prints `answered` and ends; a process that stands still is for who started it to notice.
"""

import sys
import threading
from pathlib import Path

import numpy as np

from modelserver.openvino_runtime import OpenVinoRuntime
from modelserver.savedmodel import DEFAULT_SIGNATURE, read

THREADS = 8


def main(version_folder: Path) -> None:
    """Load the model and ask it from all threads."""
    # Threads take turns as often as they can, so that they meet in the first inference.
    sys.setswitchinterval(1e-6)
    model = OpenVinoRuntime(parallel_inferences=THREADS).load(version_folder, read(version_folder))
    together = threading.Barrier(THREADS)

    def ask() -> None:
        together.wait()
        model.run(DEFAULT_SIGNATURE, {"x": np.ones((1, 2), np.float32)}, ["y"], None)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("answered")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
