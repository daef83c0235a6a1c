"""Names what an endpoint would serve, so that it is not deployed a second time."""

from __future__ import annotations

import hashlib
import json

import modelwright
from modelwright.components.library import Library
from modelwright.graph.codec import Document, write
from modelwright.inference.serving import Serving
from modelwright.run.source import source_of


def source_of_serving(serving: Serving, library: Library) -> str:
    """A digest over the pipeline, its frozen values, its inputs, and the code that answers.

    Two packages of one serving differ in what was measured when they were made; this does not.
    """
    sources = {
        node.component: source.digest
        for node in serving.graph.nodes.values()
        if (source := source_of(library.find(node.component))) is not None
    }
    parts = {
        "version": modelwright.__version__,
        "graph": write(Document(serving.graph)),
        "inputs": [request.to_json() for request in serving.inputs],
        "outputs": [reply.to_json() for reply in serving.outputs],
        "sources": sources,
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
