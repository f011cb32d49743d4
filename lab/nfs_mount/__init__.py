"""NFS 4.0 in user space, shown through FUSE: the lab's stand-in for the kernel's NFS client."""
