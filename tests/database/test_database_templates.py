"""A tenant's own templates stand before the built-in ones."""

from __future__ import annotations

from uuid import uuid4

import pytest
from database_rows import USER

from shared.database.designs import PostgresDesigns
from shared.errors import TemplateUnknown
from shared.imaging.templates import BUILT_IN
from shared.records import Fit, Template

OWN = Template(name="uvdtf decal", width_in=3, height_in=2.5, fit=Fit.INSIDE, rotate=True, dpi=300)


def test_the_built_in_templates_are_those_of_the_code(designs: PostgresDesigns) -> None:
    assert designs.templates(USER) == sorted(BUILT_IN, key=lambda template: template.name)
    for template in BUILT_IN:
        assert designs.template(USER, template.name.swapcase()) == template


def test_an_own_template_hides_the_built_in_one_from_its_tenant_alone(
    designs: PostgresDesigns,
) -> None:
    designs.save_template(USER, OWN)
    assert designs.template(USER, "UVDTF Decal") == OWN
    assert [template.name for template in designs.templates(USER)] == [
        "DTF Adult",
        "DTF Adult+",
        "DTF Youth",
        "UVDTF 16oz",
        "uvdtf decal",
    ]
    assert designs.template(uuid4(), "uvdtf decal").name == "UVDTF Decal"
    designs.remove_template(USER, "UVDTF DECAL")
    assert designs.template(USER, "uvdtf decal").name == "UVDTF Decal"


def test_saving_again_changes_the_template(designs: PostgresDesigns) -> None:
    designs.save_template(USER, OWN)
    changed = OWN.model_copy(
        update={
            "name": "UVDTF DECAL",
            "canvas_width_in": 4.0,
            "canvas_height_in": 4.0,
            "pattern": "{number}",
        }
    )
    designs.save_template(USER, changed)
    assert designs.template(USER, "uvdtf decal") == changed
    assert len(designs.templates(USER)) == len(BUILT_IN)


def test_an_unknown_name_is_told(designs: PostgresDesigns) -> None:
    with pytest.raises(TemplateUnknown, match="'Mug'"):
        designs.template(USER, "Mug")
    with pytest.raises(TemplateUnknown):
        designs.remove_template(USER, "UVDTF Decal")
    assert designs.template(USER, "UVDTF Decal")
