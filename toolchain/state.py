"""The state folder of a checkout, `.state/`: plugin home, stacks and the passphrase of their secrets."""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import StateError
from toolchain.plugins import Installed

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class State:
    """Paths below the state folder; nothing exists before `prepare`."""

    folder: Path = CHECKOUT / ".state"

    @property
    def home(self) -> Path:
        """Pulumi's home: plugins, workspaces, credentials of the backend."""
        return self.folder / "pulumi"

    @property
    def backend(self) -> Path:
        """The stacks."""
        return self.folder / "backend"

    @property
    def passphrase_file(self) -> Path:
        """What secrets in the stacks are encrypted with."""
        return self.folder / "passphrase"

    @property
    def temporary(self) -> Path:
        """Temporary files of the engine and its plugins.

        The Kubernetes plugin leaves a file with the kubeconfig, an administrator's key, at each of its starts. It must
        not lie where all users of the machine put their files, nor stay.
        """
        return self.folder / "tmp"

    def prepare(self, plugins: list[Installed]) -> None:
        """Create what is missing and link the plugins into the plugin home.

        Raises:
            StateError: The folder cannot be written, or the passphrase is lost.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.home, self.backend, self.temporary):
                folder.mkdir(mode=0o700, exist_ok=True)
            for left in self.temporary.glob("kubeconfig*"):
                left.unlink(missing_ok=True)
            self._make_passphrase()
            for installed in plugins:
                self._link(installed)
        except OSError as problem:
            raise StateError(
                str(problem.filename or self.folder),
                f"it cannot be written: {problem.strerror}",
                "the stacks and the passphrase of their secrets are kept there",
                "make the checkout writable for this user",
            ) from problem

    def _make_passphrase(self) -> None:
        try:
            handle = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            self._check_passphrase()
            return
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))

    def _check_passphrase(self) -> None:
        if self.passphrase_file.stat().st_mode & 0o077:
            self.passphrase_file.chmod(0o600)
        if not self.passphrase_file.read_text().strip():
            raise StateError(
                str(self.passphrase_file),
                "the file is empty",
                "the secrets of the stacks are encrypted with what was in it",
                "restore it from a backup; if there are no stacks yet, delete it and run this again",
            )

    def _link(self, installed: Installed) -> None:
        """Make the plugin look installed: a real folder, as the engine wants it, with links to the files."""
        folder = self.home / "plugins" / installed.plugin.folder_name
        target = installed.folder / installed.plugin.executable
        link = folder / installed.plugin.executable
        if link.is_symlink() and link.readlink() == target:
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        link.symlink_to(target)
