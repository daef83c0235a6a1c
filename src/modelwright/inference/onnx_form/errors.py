"""What keeps a pipeline from being an ONNX graph."""

from __future__ import annotations

from modelwright.data.errors import ModelwrightError


class NotInOnnxError(Exception):
    """An expression or a fitted value has no ONNX form; the text says why.  It is told as NotInOnnx."""


class NotInOnnx(ModelwrightError):
    """A step of a pipeline cannot be written as ONNX."""

    code = "not-in-onnx"

    def __init__(self, node: str, title: str, why: str) -> None:
        super().__init__(
            f'Step "{title}" ({node}) cannot be written as ONNX: {why}.',
            remedy="Export the pipeline as a package instead, which runs every step, "
            "or replace this step.",
            node=node,
            title=title,
            why=why,
        )


class OnnxDiffers(ModelwrightError):
    """The ONNX graph of a pipeline does not score as the pipeline does, and is not handed out."""

    code = "onnx-differs"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f'The ONNX form of "{name}" does not score its sample rows as the pipeline does: {why}.',
            remedy="Export the pipeline as a package instead.",
            name=name,
            why=why,
        )
