"""Real Debian hosts on this machine: what the `edge-lab` stack points at."""
