"""A server on a port of its own, of which a function answers each request."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def served(answer, methods=("GET",)):
    """Call `answer(handler)` for requests of these methods; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.command in methods:
                answer(self)
            else:
                self.send_error(405)

        do_HEAD = do_GET  # noqa: N815 - as http.server calls it

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler, body, status=200):
    """Answer with a body, the length of which is said."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(body)
