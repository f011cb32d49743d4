"""Run the endpoint proxy: `python -m proxy --config proxy.yaml`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from proxy.config import load_config
from proxy.errors import ConfigError
from proxy.server import load_cards, serve
from proxy.telemetry.logs import configure_logging


def main() -> int:
    """Read the settings, then serve; return 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="proxy", description="Answer inference requests over HTTP.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration file (docs/proxy.md)")
    try:
        config = load_config(parser.parse_args().config)
        configure_logging()
        serve(config, load_cards(config))
    except ConfigError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
