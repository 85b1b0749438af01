"""As whom do the servers run, and in which folders? Never as root: an unprivileged account that can reach what it needs."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".servers"
"""What is fetched stays here, so that a second run needs no network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account servers run under when we are root."""

    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether it can read a file, or enter and read a folder."""
        test = 'test -r "$0" && { test ! -d "$0" || test -x "$0"; }'
        done = subprocess.run(
            ["/bin/sh", "-c", test, str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
        return done.returncode == 0


def unprivileged() -> Account | None:
    """The account to run under: None when we are an ordinary user already. PermissionError when root has none to drop to."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
            account = Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
            if account.reaches(Path("/")):
                return account
        except (KeyError, OSError, subprocess.SubprocessError):
            continue
    raise PermissionError("root has no unprivileged account to run servers under (tried nobody, postgres, daemon)")


def room(parent: Path, account: Account | None) -> Path:
    """A new folder that the account owns: below ``parent``, or in the system's temporary folder where it cannot reach that."""
    parent.mkdir(parents=True, exist_ok=True)
    within = parent if account is None or account.reaches(parent) else None
    made = Path(tempfile.mkdtemp(prefix="crm-economic-", dir=within))
    if account is not None:
        os.chown(made, account.uid, account.gid)
    return made


def reachable(root: Path, inside: str, parts: Sequence[str], folder: Path, account: Account | None) -> Path:
    """``root`` itself, or a folder with copies of its ``parts`` where the account cannot reach ``root / inside``."""
    if account is None or account.reaches(root / inside):
        return root
    copies = folder / "programs"
    for part in parts:
        shutil.copytree(root / part, copies / part, symlinks=True)
    for one in [copies, *copies.rglob("*")]:
        if not one.is_symlink():
            one.chmod(0o755 if one.is_dir() or one.stat().st_mode & 0o111 else 0o644)
    return copies
