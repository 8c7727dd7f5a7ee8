"""``template``: a shop's own templates."""

from __future__ import annotations

import click

from shared import wiring
from shared.driver.commands.ending import misused, tell
from shared.identity import tenant
from shared.imaging.templates import check
from shared.nas.names import part
from shared.records import Fit, Template
from shared.settings import settings


@click.group()
def template() -> None:
    """Add, list and remove a shop's own templates."""


@template.command(name="add")
@click.argument("name")
@click.option("--width", "width_in", type=float, required=True, help="Inches.")
@click.option("--height", "height_in", type=float, required=True, help="Inches.")
@click.option("--fit", type=click.Choice([fit.value for fit in Fit]), default=Fit.STRETCH.value)
@click.option("--dpi", type=int, default=400, show_default=True)
@click.option("--canvas-width", "canvas_width_in", type=float, help="Inches.")
@click.option("--canvas-height", "canvas_height_in", type=float, help="Inches.")
@click.option("--rotate", is_flag=True, help="Turn landscape artwork 90 degrees clockwise.")
@click.option("--pattern", default="{prefix}_{number}", show_default=True, help="File name.")
@click.option("--user", help="Whose template it is.")
def add_template(user: str | None, **fields: object) -> None:
    """Add the template NAME, or change it; a built-in one of that name is overridden."""
    try:
        wanted = Template.model_validate(fields)
    except ValueError as error:
        raise misused(error) from error
    own = settings()

    def save() -> None:
        # Refused now and not by every upload: the template's folder is called as it is.
        named = wanted.model_copy(update={"name": part(wanted.name, "template")})
        check(named, own.max_side_px)
        wiring.parts().designs.save_template(tenant(user or own.default_user), named)

    tell(save)
    click.echo(f"Template '{wanted.name}' is saved.")


@template.command(name="list")
@click.option("--user", help="Whose templates; the built-in ones are always listed.")
def list_templates(user: str | None) -> None:
    """List the templates an upload can name."""
    owner = tenant(user or settings().default_user)
    for known in tell(lambda: wiring.parts().designs.templates(owner)):
        click.echo(
            f"{known.name}: {known.width_in:g} x {known.height_in:g} in, "
            f"{known.fit.value}, {known.dpi} DPI"
        )


@template.command(name="remove")
@click.argument("name")
@click.option("--user", help="Whose template it is.")
def remove_template(name: str, user: str | None) -> None:
    """Remove the shop's own template NAME; a built-in one of that name applies again."""
    owner = tenant(user or settings().default_user)
    tell(lambda: wiring.parts().designs.remove_template(owner, name))
    click.echo(f"Template '{name}' is removed.")
