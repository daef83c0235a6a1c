"""What may be wrong with the file of a model that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from modelwright.components.errors import ComponentError


class UnknownModelFormat(ComponentError):
    """A file is no model in a format that is known here."""

    code = "unknown-model-format"

    def __init__(self, file: str) -> None:
        super().__init__(
            f'"{file}" is no model in a format that is known here.',
            remedy="Give a LightGBM text file, an ONNX file, a scikit-learn model saved with skops, or "
            "an MLflow folder with one of these.",
            file=file,
        )


class PickledModel(ComponentError):
    """A model is pickled: reading it would run whatever program its maker put in."""

    code = "pickled-model"

    def __init__(self, file: str) -> None:
        super().__init__(
            f'"{file}" is a pickle, which can run any program when it is read.',
            remedy="Where you trust it, load it and save it anew with skops.io.dump(model, "
            '"model.skops"), or as ONNX.',
            file=file,
        )


class UntrustedModel(ComponentError):
    """A skops file holds types that could do more than compute."""

    code = "untrusted-model"

    def __init__(self, file: str, types: Sequence[str]) -> None:
        super().__init__(
            f'"{file}" holds types that are not known to be harmless: {", ".join(types)}.',
            remedy="Build the model of scikit-learn's own estimators, or save it as ONNX.",
            file=file,
            types=list(types),
        )


class UnreadableModel(ComponentError):
    """The file of a model cannot be read, or holds a model that cannot be used here."""

    code = "unreadable-model"

    def __init__(self, file: str, why: str, remedy: str = "Save the model again.") -> None:
        super().__init__(f'The model in "{file}" cannot be used: {why}.', remedy=remedy, file=file)
