"""Components that are installed, and samples to try them with."""

from __future__ import annotations

from fastapi import APIRouter

from modelwright import samples
from modelwright.actions.drafts import find_sample
from modelwright.api.here import HereDep
from modelwright.api.shapes.library import Component, NodeSettings, SampleDataset, SamplePipeline
from modelwright.api.shapes.shape import Listed

router = APIRouter(tags=["library"])


@router.get("/library")
def list_library(here: HereDep, category: str = "", hidden: bool = True) -> Listed[Component]:
    """Every installed component with its full description, by category and title.

    category: only categories that contain this text.  hidden: those outside the palette too.
    """
    wanted = category.casefold()
    known = (component.__component__ for component in here.home.library)
    specs = [s for s in known if (hidden or not s.hidden) and wanted in s.category.casefold()]
    return Listed[Component](items=[Component.of(spec) for spec in specs])


@router.get("/library/{component_id}")
def get_component(component_id: str, here: HereDep) -> Component:
    """One component; a former id leads to its successor."""
    return Component.of(here.home.library.spec(component_id))


@router.post("/library/{component_id}/upgrade")
def upgrade_parameters(component_id: str, former: NodeSettings, here: HereDep) -> NodeSettings:
    """Parameters of an older version as those of the installed one."""
    library = here.home.library
    parameters = library.upgrade(component_id, former.version, former.parameters)
    return NodeSettings(version=library.spec(component_id).version, parameters=parameters)


@router.get("/samples/datasets")
def list_sample_datasets() -> Listed[SampleDataset]:
    """The sample datasets with their origin and terms; registered at the latest when first needed."""
    return Listed[SampleDataset](items=[SampleDataset.of(s) for s in samples.DATASETS])


@router.get("/samples/pipelines")
def list_sample_pipelines() -> Listed[SamplePipeline]:
    """The sample pipelines; POST /api/drafts makes an editable copy of one."""
    return Listed[SamplePipeline](items=[SamplePipeline.of(s) for s in samples.PIPELINES])


@router.get("/samples/pipelines/{sample_id}")
def get_sample_pipeline(sample_id: str) -> SamplePipeline:
    """One sample pipeline."""
    return SamplePipeline.of(find_sample(sample_id))
