"""The package as one archive: what a session sends to executors that have Python and the wheels, and not this package."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

_PACKAGE = Path(__file__).parent


def package_archive() -> Path:
    """The archive of the package as it is on this machine, made once for each state of its code.

    conf/ is not in it: rules, dialects and settings are read where the session is, and go to the executors with the work.
    """
    modules = {path.relative_to(_PACKAGE.parent).as_posix(): path.read_bytes() for path in sorted(_PACKAGE.rglob("*.py"))}
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + content for name, content in modules.items())).hexdigest()
    archive = user_cache_path("royalty-lakehouse") / "archives" / f"lakehouse-{digest[:16]}.zip"
    if not archive.is_file():
        archive.parent.mkdir(parents=True, exist_ok=True)
        part = archive.with_name(f".{archive.name}.{os.getpid()}")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in modules.items():
                bundle.writestr(zipfile.ZipInfo(name), content)
        part.replace(archive)
    return archive
