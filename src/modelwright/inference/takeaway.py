"""A package made ready to leave: with what a person reads, and what builds an image of it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from modelwright.inference.package import NotAPackage, Package

README = "README.md"
DOCKERFILE = "Dockerfile"
KEYS_IN_IMAGE = "/run/modelwright/keys.json"
FOLDER_IN_IMAGE = "/srv/pipeline"
PORT = 8080

_README = """\
# {name}

{description}An inference pipeline that answers requests over HTTP, exported from Modelwright {made_with}.

## Start it

    pip install -r requirements.txt
    python -c "import json, secrets; print(json.dumps({{k: secrets.token_urlsafe(32) for k in ('primary', 'secondary')}}))" > keys.json
    python -m modelwright.serve.replica {place} --port {port} --keys-file keys.json

`--auth none` in place of `--keys-file` lets everybody call it, `--host 0.0.0.0` lets other machines reach it.
{needs}

## Call it

    curl -X POST http://127.0.0.1:{port}/score -H "Authorization: Bearer KEY" -H "Content-Type: application/json" \\
        -d '{request}'

`/openapi.json` and `/swagger.json` describe what it takes and gives; `/v2/models/service` is the same for clients of the
Open Inference Protocol. `/healthz` and `/readyz` are for whoever watches it.

## As a container

    docker build -t {tag} .
    docker run -p {port}:{port} -v "$PWD/keys.json:{keys}:ro" {tag}

`--build-arg BASE=IMAGE` names another image with Python to build on. Where there is no package index, put the wheels of what
requirements.txt lists into `wheels/`, or build on an image that has Modelwright with `--build-arg INSTALL=no`.

## What is in it

| file | holds |
| --- | --- |
| `serving.json` | inputs, outputs, sample rows, versions of libraries, a digest of every file below |
| `plan.json` | how requests are answered: the formulas |
| `graph.yaml` | the inference pipeline, as `modelwright pipeline` reads it |
| `artifacts/` | what training has learnt |
| `requirements.txt` | what to install to run it |
"""

_DOCKERFILE = """\
ARG BASE=docker.io/library/python:{python}-slim
FROM ${{BASE}}
ARG INSTALL=yes
WORKDIR {folder}
COPY . .
RUN if [ "$INSTALL" = yes ]; then pip install --no-cache-dir --find-links wheels -r requirements.txt; fi
USER 10001
EXPOSE {port}
ENTRYPOINT ["python", "-m", "modelwright.serve.replica", "{folder}", "--host", "0.0.0.0", "--port", "{port}"]
CMD ["--keys-file", "{keys}"]
"""


def export_package(package: Package, path: Path) -> Path:
    """Write a package as a folder, or as a zip when the path ends in .zip; at once or not at all.

    Whoever has it needs nothing but what its requirements.txt names.  Raises NotAPackage when the
    path holds something else.
    """
    foreign = path.is_dir() and not (path / "serving.json").is_file()
    if foreign or (path.is_file() and path.suffix != ".zip"):
        raise NotAPackage(path, "it holds something else, which is not overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        shutil.copytree(package.folder, draft)
        (draft / README).write_text(_readme(package, path), encoding="utf-8")
        (draft / DOCKERFILE).write_text(dockerfile(package), encoding="utf-8")
        (draft / ".dockerignore").write_text("keys.json\n", encoding="utf-8")
        if path.suffix == ".zip":
            packed = shutil.make_archive(str(draft), "zip", draft)
            Path(packed).replace(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
            draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return path


def dockerfile(package: Package) -> str:
    """What builds an image of an exported package."""
    python = ".".join(package.made_with["python"].split(".")[:2])
    return _DOCKERFILE.format(python=python, folder=FOLDER_IN_IMAGE, port=PORT, keys=KEYS_IN_IMAGE)


def _readme(package: Package, path: Path) -> str:
    import json

    from modelwright.inference.openapi import example_request

    example = example_request(package.inputs)
    example["Inputs"] = {name: rows[:1] for name, rows in example["Inputs"].items()}
    compiled = package.plan.is_compiled
    return _README.format(
        name=package.name,
        description=f"{package.description.rstrip('.')}. " if package.description else "",
        made_with=package.made_with["modelwright"],
        place=path.name if path.suffix == ".zip" else ".",
        port=PORT,
        needs=(
            "It is compiled: no library that trained it is needed, but what requirements.txt lists."
            if compiled
            else "Some of its steps are code or SQL, so it needs the libraries that trained it."
        ),
        request=json.dumps(example, ensure_ascii=False).replace("'", "'\\''"),
        tag="".join(c if c.isalnum() else "-" for c in package.name.lower()).strip("-")
        or "pipeline",
        keys=KEYS_IN_IMAGE,
    )
