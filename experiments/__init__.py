"""Commands that measure sites through their public interfaces."""
