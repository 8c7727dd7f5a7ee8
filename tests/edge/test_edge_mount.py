"""What a function changes of the framework that serves it."""

from __future__ import annotations

import flask
import pytest
from gunicorn.config import Config

from shared.mount import mount
from shared.worker import Worker
from tests.edge.edge_echo import endpoint


@pytest.fixture
def app() -> flask.Flask:
    """An app with the framework's own routes, and the function mounted."""
    made = flask.Flask("edge")
    made.add_url_rule("/robots.txt", "error", lambda: "the framework's own")
    made.add_url_rule("/", "run", lambda: "the function's", methods=["POST"])
    with made.app_context():
        mount(endpoint())
    return made


class TestMounted:
    def test_a_function_answers_the_framework_s_own_addresses(self, app: flask.Flask) -> None:
        answer = app.test_client().get("/robots.txt")

        assert (answer.status_code, answer.json["code"]) == (404, "path_unknown")

    def test_a_function_answers_what_flask_would_redirect_or_refuse(self, app: flask.Flask) -> None:
        app.add_url_rule("/folder/", "run", methods=["POST"])

        for path, method in (("/folder", "POST"), ("/", "GET"), ("/nothing", "PUT")):
            answer = app.test_client().open(path, method=method)
            assert answer.status_code in (404, 405)
            assert answer.json["code"] in ("path_unknown", "method_not_allowed")

    def test_a_function_is_called_by_the_framework_for_its_own(self, app: flask.Flask) -> None:
        assert app.test_client().post("/").text == "the function's"

    @pytest.mark.usefixtures("app")
    def test_gunicorn_keeps_off_the_disk_and_ends_each_connection(self) -> None:
        settings = Config()

        assert settings.worker_tmp_dir in ("/dev/shm", None)  # noqa: S108 - None where there is none
        assert settings.control_socket_disable is True
        assert settings.keepalive == 0
        assert settings.graceful_timeout == 8

    @pytest.mark.usefixtures("app")
    def test_gunicorn_s_worker_is_the_one_that_reads_without_threads(self) -> None:
        settings = Config()
        settings.set("threads", 8)

        assert settings.worker_class is Worker
        assert settings.worker_connections == 500


def test_outside_of_an_app_nothing_is_mounted() -> None:
    assert not flask.has_app_context()

    mount(endpoint())
