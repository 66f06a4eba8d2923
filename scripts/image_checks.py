"""Judges what stands above the base in each image. Run through scripts/images: FOLDER SERVICE…, with FOLDER/SERVICE/root."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

MB = 1_000_000
# Of an image, unpacked.
MOST = 40 * MB
# gcr.io/distroless/static-debian12: time zones, certificate authorities, /etc. About 2 MB; it cannot be had without a registry.
BASE = 3 * MB
# The base's user `nonroot`.
USER = "65532:65532"


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def programs_in(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "usr/local/bin").iterdir())


def starts(root: Path, program: str) -> Iterator[str]:
    """Alone in its root, as the user that the image names: a library that is missing ends it before it says anything."""
    done = subprocess.run(
        ["chroot", f"--userspec={USER}", root, f"/usr/local/bin/{program}", "--version"],
        env={"PATH": "/usr/sbin:/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )
    if done.returncode != 0 or program not in done.stdout:
        yield f"{program} --version ended with {done.returncode}: {(done.stdout + done.stderr).strip()}"


def lists_its_parts(root: Path, program: str, locked: dict[str, set[str]]) -> Iterator[str]:
    """Every part is one of the lock file's, with a licence, and what every service stands on is among them."""
    sbom = json.loads((root / f"usr/local/share/sbom/{program}.cdx.json").read_text())
    if (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) != ("CycloneDX", program):
        yield f"the list of parts of {program} is not one"
    parts = sbom["components"]
    for name in {"tokio", "rustls", "diesel", "redis"} - {part["name"] for part in parts}:
        yield f"{name} is not among the parts of {program}"
    for part in parts:
        name = part["name"]
        if part["version"] not in locked.get(name, set()):
            yield f"{program}: {name} {part['version']} is not in Cargo.lock"
        if not part.get("licenses"):
            yield f"{program}: {name} has no licence"


def locked_versions(lock: Path) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for package in tomllib.loads(lock.read_text())["package"]:
        versions.setdefault(package["name"], set()).add(package["version"])
    return versions


def faults_of(root: Path, locked: dict[str, set[str]]) -> Iterator[str]:
    for program in programs_in(root):
        yield from starts(root, program)
        yield from lists_its_parts(root, program, locked)
    if size_of(root) + BASE >= MOST:
        yield f"{(size_of(root) + BASE) / MB:.1f} MB with its base, and it must be less than {MOST // MB}"


def main() -> None:
    folder, services = Path(sys.argv[1]), sys.argv[2:]
    locked = locked_versions(folder / "context/Cargo.lock")
    faults = []
    for service in services:
        root = folder / service / "root"
        sizes = ", ".join(f"{name} {(root / 'usr/local/bin' / name).stat().st_size / MB:.1f}" for name in programs_in(root))
        print(f"{service}: {(size_of(root) + BASE) / MB:.1f} MB with its base ({sizes})")
        faults += [f"{service}: {fault}" for fault in faults_of(root, locked)]
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
