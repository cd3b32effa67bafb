"""Claims about blocking questions, against a real server on a real socket."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mmfast.runtime.rest import VenueUnreachable, ask


@contextmanager
def server(answer):
    """``answer(path, body) -> (status, payload)`` served on a port of this host; yields base URL and requests."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, json.loads(body), self.headers["Content-Type"]))
            status, payload = answer(self.path, json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    running.handle_error = lambda *_: None  # a client that gave up
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", seen
    finally:
        running.shutdown()
        thread.join(timeout=5)
        running.server_close()


def test_a_question_is_json_and_so_is_the_answer():
    with server(lambda path, body: (200, b'{"universe":[1,2.5,null]}')) as (url, seen):
        assert ask(url, "/info", {"type": "meta"}) == {"universe": [1, 2.5, None]}
    assert seen == [("/info", {"type": "meta"}, "application/json")]


@pytest.mark.parametrize("base", ["/api", "/api/"])
def test_a_base_path_is_kept(base):
    with server(lambda path, body: (200, b"[]")) as (url, seen):
        assert ask(url + base, "/info", {}) == []
    assert seen[0][0] == "/api/info"


@pytest.mark.parametrize(("status", "payload", "text"), [
    (500, b"boom", "HTTP 500 b'boom'"), (429, b"slow down", "429"), (200, b"<html>", "not JSON: b'<html>'"),
    (200, b"", "not JSON"), (302, b"", "302")])
def test_anything_but_json_with_status_200_is_told_with_the_address(status, payload, text):
    with server(lambda path, body: (status, payload)) as (url, _), pytest.raises(VenueUnreachable) as told:
        ask(url, "/info", {})
    assert url in str(told.value)
    assert text in str(told.value)


def test_a_venue_that_is_not_there_is_told_with_the_address():
    with server(lambda path, body: (200, b"")) as (url, _):
        pass  # the port is free again
    with pytest.raises(VenueUnreachable, match="ConnectionRefusedError"):
        ask(url, "/info", {})


def test_a_venue_that_says_nothing_is_given_up_in_time():
    done = threading.Event()

    def silent(path, body):
        done.wait(5)
        return 200, b"{}"

    with server(silent) as (url, _):
        start = time.monotonic()
        with pytest.raises(VenueUnreachable, match=r"[Tt]imed? ?out"):
            ask(url, "/info", {}, timeout_s=0.1)
        assert time.monotonic() - start < 3.0
        done.set()


def test_an_unreachable_venue_is_an_error_of_the_connection():
    assert issubclass(VenueUnreachable, OSError)
