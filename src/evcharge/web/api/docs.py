"""The published description of the API, for programs and for people."""

import json
from functools import cache

from flask import Blueprint, Flask, Response, render_template
from markupsafe import Markup

from evcharge.web.api.access import CALLS
from evcharge.web.api.openapi import Schema, openapi
from evcharge.web.api.operations import Api
from evcharge.web.api.reference import Reference, reference
from evcharge.web.context import public
from evcharge.web.shell import limiter


def install(app: Flask, apis: tuple[Api, ...]) -> None:
    """Publish what these offer. It is made when somebody asks, and once."""
    blueprint = Blueprint("api_docs", __name__, url_prefix="/api")
    limiter.exempt(blueprint)

    @cache
    def document() -> Schema:
        return openapi([each for api in apis for each in api.operations])

    @cache
    def packed() -> str:
        return json.dumps(document())

    @cache
    def shown() -> Reference:
        return reference(document())

    @cache
    def operations_and_schemas() -> Markup:
        # Hundreds of small parts; the frame around them knows who is logged in.
        return Markup(render_template("_api_reference.html", reference=shown()))  # noqa: S704

    @blueprint.get("/v1/openapi.json")
    @public
    def openapi_json() -> Response:
        return Response(packed(), mimetype="application/json")

    @blueprint.get("/docs")
    @public
    def docs() -> str:
        return render_template(
            "api_docs.html",
            reference=shown(),
            details=operations_and_schemas(),
            calls=CALLS,
        )

    app.register_blueprint(blueprint)
