"""docs/components/ is what the component classes say."""

from __future__ import annotations

from scripts.component_pages import FOLDER, pages, stale_pages

from modelwright.components.library import library


def test_every_component_has_a_page_that_fits_it() -> None:
    assert stale_pages(pages()) == [], "run scripts/components"


def test_the_list_names_every_component_of_the_palette() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    shown = [c.__component__ for c in library() if not c.__component__.hidden]
    assert [s.id for s in shown if f"[{s.title}]({s.id}.md)" not in listed] == []
