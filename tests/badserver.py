"A small web server on this machine that can misbehave in the ways that servers on the internet do."
import hashlib
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORTAL = b'<!DOCTYPE html><title>Please log in to the wireless network</title>'


class BadServer(ThreadingHTTPServer):
    "`files` are what it has; each request takes the next of `manners`, or 'good' when none is left. `asked` notes path and range."
    daemon_threads, address_family = True, 2

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.files, self.manners, self.asked, self.pause, self.over = {}, [], [], 0.0, threading.Event()
        self.url = f'http://127.0.0.1:{self.server_port}'

    def requests_for(self, path): return [span for asked, span in self.asked if asked == path]
    def handle_error(self, request, client_address): pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args): pass

    def do_GET(self):
        server, path = self.server, self.path.lstrip('/')
        server.asked.append((path, self.headers.get('Range')))
        manner = server.manners.pop(0) if server.manners else 'good'
        self.close_connection = True
        if manner.isdigit(): return self.send_error(int(manner))
        if manner == 'hang': return server.over.wait(20)
        if manner == 'drop': return None
        if path not in server.files: return self.send_error(404)
        data = {'wrong': bytes(len(server.files[path])), 'portal': PORTAL}.get(manner, server.files[path])
        self.send_file(data, manner)

    def send_file(self, data, manner):
        mark = f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        asked = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        start = int(asked[1]) if asked and manner != 'no_range' and self.headers.get('If-Range') in (None, mark) else 0
        if start >= len(data) > 0: return self.send_error(416)
        if start and manner == 'liar': start += 1
        self.send_response(206 if start else 200)
        if start: self.send_header('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}')
        if manner == 'weak': self.send_header('ETag', f'W/{mark}')
        elif manner != 'no_mark': self.send_header('ETag', mark)
        if manner != 'no_length': self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        self.send_body(data[start:], manner)

    def send_body(self, rest, manner):
        if manner in ('cut', 'stall', 'weak', 'no_mark'): rest = rest[:len(rest)//2]
        for i in range(0, len(rest), 2**14):
            self.wfile.write(rest[i:i + 2**14])
            if self.server.pause: time.sleep(self.server.pause)
        self.wfile.flush()
        if manner == 'stall': self.server.over.wait(20)


@contextmanager
def bad_server():
    "A running server, gone at the end."
    server = BadServer()
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
    try: yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
