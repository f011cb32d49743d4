"""What a lab's hosts may reach of this machine: the mirror of artifacts and the cache of Debian packages."""
