"""What must hold for the Dockerfiles, and for what a build would find in its context."""

import fnmatch
import io
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dockerfile_parse import DockerfileParser

from .project import TOOLS, Project

BINARIES = ("api", "retry-worker", "notifier", "sandbox")
Instruction = dict[str, str]


def instructions_of(file: Path) -> list[Instruction]:
    parser = DockerfileParser(fileobj=io.BytesIO(file.read_bytes()))
    return [each for each in parser.structure if each["instruction"] != "COMMENT"]


def _values(instructions: list[Instruction], name: str) -> list[str]:
    return [each["value"] for each in instructions if each["instruction"] == name]


def _stages(instructions: list[Instruction]) -> set[str]:
    """Names given by `FROM … AS name`."""
    return {value.split()[-1] for value in _values(instructions, "FROM") if len(value.split()) == 3}


def _copied(instructions: list[Instruction]) -> list[str]:
    """Sources that come from the context, not from another stage."""
    plain = (value.split() for value in _values(instructions, "COPY") if "--from=" not in value)
    return [source for words in plain for source in words[:-1]]


def is_ignored(path: str, dockerignore: str) -> bool:
    """As Docker reads .dockerignore: the last line that fits the path or a folder above it decides."""
    parts = path.split("/")
    prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    ignored = False
    for line in dockerignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps, pattern = pattern.startswith("!"), pattern.lstrip("!").strip("/")
        if any(_fits(prefix, pattern) for prefix in prefixes):
            ignored = not keeps
    return ignored


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return any(_fits(path.split("/", start)[-1], pattern[3:]) for start in range(path.count("/") + 1))
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def is_linted(root: Path, file: Path) -> Iterator[str]:
    done = subprocess.run([TOOLS / "hadolint", "--no-color", file], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield from (done.stdout + done.stderr).replace(f"{root}/", "").strip().splitlines()


def copies_what_is_there(root: Path, file: Path) -> Iterator[str]:
    instructions = instructions_of(file)
    dockerignore = (root / ".dockerignore").read_text()
    for source in _copied(instructions):
        if not (root / source).exists():
            yield f"COPY {source}: it isn't there"
        elif is_ignored(source, dockerignore):
            yield f"COPY {source}: .dockerignore keeps it out"
    for value in _values(instructions, "COPY") + _values(instructions, "RUN"):
        stage = re.search(r"--from=(\S+)", value)
        if stage and stage[1] not in _stages(instructions) and ":" not in stage[1]:
            yield f"--from={stage[1]} is neither a stage nor an image with a tag"


def runs_its_binary_without_root(root: Path, file: Path) -> Iterator[str]:
    name = file.name.removesuffix(".Dockerfile")
    instructions = instructions_of(file)
    users = _values(instructions, "USER")
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        yield "it must end under a numeric user that isn't root"
    if name not in BINARIES:
        return
    if _values(instructions, "ENTRYPOINT") != [json.dumps([f"/usr/local/bin/{name}"])]:
        yield f"its entry point is not {name}"
    stages = _values(instructions, "FROM")
    if len(stages) < 2 or stages[-1] != "service":
        yield "its last stage must be the service's image, what a build without --target gives"
    if f"docker/pack {name} /out" not in " ".join(_values(instructions, "RUN")):
        yield f"it does not pack {name}"


FILE_RULES = (is_linted, copies_what_is_there, runs_its_binary_without_root)


def are_one_text(root: Path) -> Iterator[str]:
    """The four of ours, but for name, description and ports."""
    texts = {}
    for name in BINARIES:
        text = (root / "docker" / f"{name}.Dockerfile").read_text()
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "NAME", text)
        texts[name] = re.sub(r'(EXPOSE ).*|(image\.description=)".*"', r"\1\2", text)
    for name in BINARIES[1:]:
        if texts[name] != texts[BINARIES[0]]:
            yield f"{name}.Dockerfile is not {BINARIES[0]}.Dockerfile with another name"


def compose_builds_them(project: Project) -> Iterator[str]:
    for name, service in project.services.items():
        build = service.get("build")
        if not build:
            continue
        file = Path(build["context"]) / build["dockerfile"]
        if not file.exists():
            yield f"{name} is built from {build['dockerfile']}, which isn't there"
        elif build.get("target") and build["target"] not in _stages(instructions_of(file)):
            yield f"{name} is built to the stage {build['target']}, which {file.name} hasn't"


def workspace_fits_in_the_context(root: Path) -> Iterator[str]:
    """Cargo reads the workspace from the copied files alone and finds the four binaries."""
    copied = set(_copied(instructions_of(root / "docker" / "api.Dockerfile")))
    with tempfile.TemporaryDirectory() as folder:
        for source in copied:
            if (root / source).is_dir():
                shutil.copytree(root / source, Path(folder) / source, ignore=shutil.ignore_patterns("target"))
            elif (root / source).is_file():
                (Path(folder) / source).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / source, Path(folder) / source)
        done = subprocess.run(
            ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"],
            cwd=folder, capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            yield f"cargo cannot read the workspace from what the Dockerfiles copy: {done.stderr.strip()}"
            return
    built = {
        (package["name"], target["name"])
        for package in json.loads(done.stdout)["packages"]
        for target in package["targets"]
        if "bin" in target["kind"]
    }
    for name in BINARIES:
        if (name, name) not in built:
            yield f"no package {name} with a binary {name}"
    yield from _included_from_elsewhere(root, copied)


def _included_from_elsewhere(root: Path, copied: set[str]) -> Iterator[str]:
    """Files that the sources take in when they are compiled must be copied as well."""
    macro = re.compile(r'\b(include_str|include_bytes|embed_migrations)!\(\s*"([^"]+)"')
    real = root.resolve()
    for top in ("crates", "services", "bench"):
        for file in sorted((real / top).glob("**/src/**/*.rs")):
            for name, path in macro.findall(file.read_text()):
                package = next(parent for parent in file.parents if (parent / "Cargo.toml").exists())
                place = ((package if name == "embed_migrations" else file.parent) / path).resolve()
                if place.is_relative_to(real) and place.relative_to(real).parts[0] not in copied:
                    yield f"{file.relative_to(real)} takes in {path}, which the Dockerfiles don't copy"
