"""Serves function/handler.py over HTTP/1.1 with the standard library alone.

Listens on the unix socket in SLUICE_UPSTREAM_SOCKET, or on 127.0.0.1 at PORT, http_port or 5000.
"""

import json
import os
import socket
import sys
import traceback
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from urllib.parse import parse_qs, unquote

ROOT = os.path.dirname(os.path.abspath(__file__))
# The handler may import its neighbours as `.name`, `function.name` or `name`.
sys.path[:0] = [ROOT, os.path.join(ROOT, "function"), os.path.join(ROOT, "python-packages")]
sys.stdout.reconfigure(line_buffering=True)


class Query(dict):
    """First value of every parameter; getlist() has all of them."""

    def __init__(self, text):
        self.lists = parse_qs(text, keep_blank_values=True)
        super().__init__((key, values[0]) for key, values in self.lists.items())

    def getlist(self, key):
        return list(self.lists.get(key, []))


class Event:
    def __init__(self, request, body):
        # The request line has the path as it was sent; request.path may have lost a slash.
        path, _, query = request.requestline.split()[1].partition("?")
        self.body = body
        self.headers = request.headers
        self.method = request.command
        self.query = Query(query)
        self.path = unquote(path)


class Context:
    def __init__(self):
        self.hostname = os.environ.get("HOSTNAME") or socket.gethostname()


class BadRequest(Exception):
    pass


def encode(body):
    """Body and content type; an iterator stays one and is sent as it comes."""
    if body is None:
        return b"", None
    if isinstance(body, str):
        return body.encode("utf-8"), "text/html; charset=utf-8"
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), "application/octet-stream"
    if hasattr(body, "__next__"):
        return body, "application/octet-stream"
    return json.dumps(body).encode("utf-8"), "application/json"


def unpack(result):
    """Status, headers and body of what a handler returned: a dict of them, a tuple as in Flask, or a body alone."""
    status, headers, body = 200, {}, result
    if isinstance(result, dict) and result.keys() & {"statusCode", "body", "headers"}:
        status, headers, body = result.get("statusCode", 200), result.get("headers") or {}, result.get("body")
    elif isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], (dict, list)):
        body, headers = result
    elif isinstance(result, tuple) and len(result) in (2, 3):
        body, status, headers = (*result, {})[:3]
    pairs = [(str(name), str(value)) for name, value in (headers.items() if isinstance(headers, dict) else headers)]
    if any(char in name + value for name, value in pairs for char in "\r\n\0"):
        raise ValueError("a response header holds a line break")
    if not 200 <= int(status) <= 599:
        raise ValueError(f"statusCode: expected 200 to 599, got {status!r}")
    return int(status), pairs, body


class Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = 65536

    def __getattr__(self, name):
        # http.server looks for do_<METHOD>: the handler takes every method.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass

    def read_exactly(self, count):
        data = self.rfile.read(count)
        if len(data) != count:
            raise ConnectionError("the request ended early")
        return data

    def read_chunks(self):
        while size := int(self.rfile.readline(1024).split(b";")[0].strip(), 16):
            yield self.read_exactly(size)
            self.rfile.readline(8)
        while self.rfile.readline(65537) not in (b"\r\n", b"\n", b""):
            pass

    def read_body(self):
        try:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return b"".join(self.read_chunks())
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal():
                raise BadRequest(length)
            return self.read_exactly(int(length))
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def answer(self):
        try:
            body = self.read_body()
        except BadRequest:
            self.close_connection = True
            return self.reply(400, [], b"expected a valid Content-Length or chunked body\n", "text/plain")
        try:
            status, headers, result = unpack(handle(Event(self, body), Context()))
            content, kind = encode(result)
        except Exception:
            traceback.print_exc()
            return self.reply(500, [], b"the handler failed; its log has the reason\n", "text/plain")
        self.reply(status, headers, content, kind)

    def reply(self, status, headers, content, kind):
        names = {name.lower() for name, _ in headers}
        streams = not isinstance(content, bytes)
        bodiless = self.command == "HEAD" or status in (204, 304)
        chunked = streams and not bodiless and self.request_version != "HTTP/1.0"
        self.send_response_only(status)
        for name, value in headers:
            # How the body is framed is decided here.
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if kind and "content-type" not in names:
            self.send_header("Content-Type", kind)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif streams and not bodiless:
            self.send_header("Connection", "close")
        elif not streams and status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self._headers_buffer.append(b"\r\n" if bodiless or streams else b"\r\n" + content)
        self.flush_headers()
        if streams:
            self.stream(content, chunked, bodiless)

    def stream(self, parts, chunked, bodiless):
        try:
            for part in () if bodiless else parts:
                data = part.encode("utf-8") if isinstance(part, str) else bytes(part)
                if data:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")
        except Exception as error:
            # The answer has begun: a connection cut short is how the caller learns of it.
            self.close_connection = True
            if not isinstance(error, ConnectionError):
                traceback.print_exc()
        finally:
            if hasattr(parts, "close"):
                parts.close()


class Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            traceback.print_exc()


class UnixServer(Server):
    address_family = socket.AF_UNIX
    allow_reuse_address = False


def serve():
    path = os.environ.get("SLUICE_UPSTREAM_SOCKET")
    if path:
        server = UnixServer(path, Call)
    else:
        Call.disable_nagle_algorithm = True
        port = os.environ.get("PORT") or os.environ.get("http_port") or "5000"
        server = Server(("127.0.0.1", int(port)), Call)
    server.serve_forever()


if __name__ == "__main__":
    from function.handler import handle

    serve()
