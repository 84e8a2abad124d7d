"""A service on loopback that records requests as lines of JSON in a file, and answers as Google's services do when all goes
well; a network, its parts and accounts are not there until they are created. Prints its URL."""

import http.server
import json
import re
import sys

log = open(sys.argv[1], "w")
CREATED = re.compile(r"/(networks|subnetworks|routers|serviceAccounts)/[^/]+$")
created = set()


class Recorder(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        log.write(json.dumps({"method": self.command, "path": self.path, "body": body}) + "\n")
        log.flush()
        path = self.path.split("?")[0]
        status, answer = 200, self.answer(body)
        if self.command == "GET" and CREATED.search(path) and path not in created:
            status, answer = 404, {"error": {"code": 404, "message": "not found", "status": "NOT_FOUND"}}
        if self.command == "POST" and body and path.startswith("/compute/"):
            created.add(f"{path}/{json.loads(body).get('name')}")
        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, body):
        path = self.path.split("?")[0]
        base = f"http://{self.headers['Host']}"
        if "IamPolicy" in path:
            return {"version": 1, "etag": "BwU=", "bindings": []}
        if not path.startswith("/compute/"):
            return {"name": "projects/operator/serviceAccounts/runner", "email": "runner"}
        place = {
            kind[:-1]: f"{base}/compute/v1/projects/operator/{kind}/{name}"
            for kind, name in re.findall(r"/(zones|regions)/([^/]+)", path)
        }
        done = {"status": "DONE", "operationType": "insert", "id": "1", **place}
        if self.command == "GET":
            return {"name": path.rsplit("/", 1)[1], "selfLink": base + path, **done}
        target = path if path.endswith("/wait") or self.command == "PATCH" else f"{path}/{json.loads(body)['name']}"
        above = re.match(r".*/projects/[^/]+/(?:global|(?:zones|regions)/[^/]+)", path).group()
        operation = f"{base}{above}/operations/one"
        return {"kind": "compute#operation", "name": "one", "targetLink": base + target, "selfLink": operation, **done}

    do_GET = do_POST = do_PATCH = reply


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
