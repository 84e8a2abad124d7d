"""A program that the workload starts: it says what it can reach, and waits for SIGTERM."""

import os
import signal
import socket
import sys
import time

LAUNCHER = "/run/container_launcher/"


def reason(call):
    try:
        call()
    except OSError as error:
        return os.strerror(error.errno).lower()
    return "None"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def connect():
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(LAUNCHER + "teeserver.sock")


def orphan():
    """Starts a process that loses its parent and ends, and says whether somebody has waited for it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        child = os.fork()
        if child == 0:
            time.sleep(0.2)
            os._exit(0)
        os.write(writing, str(child).encode())
        os._exit(0)
    number = os.read(reading, 20).decode()
    os.wait()
    for _ in range(100):
        if not os.path.exists("/proc/" + number):
            return "gone"
        time.sleep(0.05)
    return "left"


def terminated(_signal, _frame):
    print("terminated", flush=True)
    sys.exit(7)


signal.signal(signal.SIGTERM, terminated)
print("secret:", read("/dev/shm/countersign/model-key"), "<nil>")
print("variable:", os.environ["API_TOKEN"])
print("descriptor:", read("/proc/self/fd/" + os.environ["COUNTERSIGN_DESCRIPTOR_WEIGHTS"]))
print("token:", reason(lambda: read(LAUNCHER + "attestation_verifier_claims_token")))
print("socket:", reason(connect))
print("supervisor:", reason(lambda: read("/proc/1/environ")))
print("orphan:", orphan())
print("ready", flush=True)
while True:
    signal.pause()
