"""The generated pages are those of the model."""

from components import reference
from components.site import Part, Site


def test_the_reference_page_is_fresh() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run: make docs"


def test_the_schema_is_fresh() -> None:
    assert reference.SCHEMA.read_text() == reference.schema(), "run: make docs"


def parts(part: type[Part]) -> set[type[Part]]:
    inner = {found for field in part.model_fields.values() if (found := reference.part_in(field.annotation))}
    return {part}.union(*(parts(found) for found in inner))


def test_every_key_is_described() -> None:
    missing = [
        f"{part.__name__}.{name}"
        for part in parts(Site)
        for name, field in part.model_fields.items()
        if not (field.description or "").endswith(".")
    ]
    assert missing == []
