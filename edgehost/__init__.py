"""A Pulumi provider for what a Linux host is: packages, kernel settings, files, units, cluster membership."""

VERSION = "0.1.0"
