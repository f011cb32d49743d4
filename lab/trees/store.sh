#!/bin/bash
# Make the folder that the store exports.
set -euo pipefail

mkdir -p /export/models
