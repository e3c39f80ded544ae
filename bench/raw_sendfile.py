"""What sending a file costs by itself: sendfile(2) from the page cache to a reader on loopback, a MiB at a time. The
floor under catching up over a plain connection."""
import os
import resource
import socket
import tempfile
import time

CHUNK = 1 << 20
FILE_BYTES = 256 << 20


def read_all(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        window = bytearray(CHUNK)
        while connection.recv_into(window):
            pass


def measure(folder, gigabytes=2):
    """CPU milliseconds per MB of the sender, and MB per second."""
    with tempfile.TemporaryFile(dir=folder) as file, socket.create_server(("127.0.0.1", 0)) as listener:
        block = os.urandom(CHUNK)
        for _ in range(FILE_BYTES // CHUNK):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        reader = os.fork()
        if reader == 0:
            try:
                read_all(listener.getsockname()[1])
            finally:
                os._exit(0)
        listener.settimeout(10)
        connection, _ = listener.accept()
        before, begun, sent = resource.getrusage(resource.RUSAGE_SELF), time.monotonic(), 0
        while sent < gigabytes * 1e9:
            sent += os.sendfile(connection.fileno(), file.fileno(), sent % FILE_BYTES, CHUNK)
        after, taken = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begun
        connection.close()
        os.waitpid(reader, 0)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"mb_per_second": round(sent / 1e6 / taken), "cpu_ms_per_mb": round(cpu * 1e9 / sent, 3)}
