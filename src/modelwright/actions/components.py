"""Look at the components that are installed."""

from __future__ import annotations

from pathlib import Path

from modelwright.actions.palette_cache import Description, note, recall


def list_components(
    *, category: str = "", hidden: bool = False, cache: Path | None = None
) -> list[Description]:
    """Descriptions of the installed components as JSON, by category and title.

    category: only categories that contain this text, without regard to case.
    hidden: those that are not in the palette too.  cache: folder in which descriptions are kept from
    call to call; in the user's cache folder unless given.
    """
    folder = cache or _cache_folder()
    found = recall(folder)
    if found is None:
        from modelwright.components.library import library

        known = library()
        found = [component.__component__.to_json() for component in known]
        # What is missing now may be there the next time.
        if not known.unusable:
            note(folder, found)
    wanted = category.casefold()
    return [d for d in found if (hidden or not d["hidden"]) and wanted in d["category"].casefold()]


def show_component(component_id: str, *, cache: Path | None = None) -> Description:
    """The description of one component as JSON.  Raises UnknownComponent with the nearest ids."""
    for description in list_components(hidden=True, cache=cache):
        if description["id"] == component_id:
            return description
    from modelwright.components.library import library

    return library().spec(component_id).to_json()


def _cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("modelwright", appauthor=False) / "palette"
