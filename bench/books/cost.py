"""What usage events cost: CPU per request of a gateway with a CSV sink and of one without, in turns, in one run.

    python3 -m bench.books.cost --binaries DIR [--rounds N] [--requests N]

Both have metrics and the access log, in-process coordination, and get the same requests from 16 connections. CPU is that of the
whole process, its threads included, from /proc; the first round of each is not counted. What comes out is the difference of
medians; the machine's noise is the spread that is printed beside it.
"""

import argparse
import http.client
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

from bench.books.ports import free_port

BODY = b'{"model":"chat","messages":[{"role":"user","content":"Say something short."}],"max_tokens":16}'
HEADERS = {"content-type": "application/json", "api-key": "cost-key"}


def cpu_seconds(program):
    fields = pathlib.Path(f"/proc/{program.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gateway(binaries, folder, mock_port, usage):
    port, name = free_port(), "with" if usage else "without"
    file = pathlib.Path(folder) / f"{name}.yaml"
    sinks = f"usage: {{spool: {folder}/spool, sinks: [{{type: csv, directory: {folder}/csv}}]}}\n" if usage else ""
    file.write_text(f"""\
listen: 127.0.0.1:{port}
admin: 127.0.0.1:0
server: {{threads: 1, drain: {{lame_duck: 0s, grace: 1s}}}}
clients: [{{name: team, api_keys: [cost-key]}}]
endpoints: [{{name: main, url: "http://127.0.0.1:{mock_port}", api_key: cost-azure-key}}]
models: [{{name: chat, deployments: [{{endpoint: main, deployment: gpt-4o}}]}}]
{sinks}""")
    log = (pathlib.Path(folder) / f"{name}.log").open("ab")
    program = subprocess.Popen([f"{binaries}/sluice", "serve", "--config", str(file)], stdin=subprocess.DEVNULL,
                               stdout=log, stderr=subprocess.STDOUT)
    wait_for(port)
    return program, port


def wait_for(port):
    end = time.monotonic() + 20
    while True:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def ask(port, count):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(count):
        connection.request("POST", "/openai/v1/chat/completions", BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"answered {answer.status}")
    connection.close()


def measure(program, port, requests):
    before = cpu_seconds(program)
    threads = [threading.Thread(target=ask, args=(port, requests // 16)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(1.5)  # the sink's part comes after the request's
    return (cpu_seconds(program) - before) / (requests // 16 * 16) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=16_000)
    options = parser.parse_args()
    programs = []
    with tempfile.TemporaryDirectory(prefix="sluice-cost-") as folder:
        try:
            mock_port = free_port()
            programs.append(subprocess.Popen(
                [f"{options.binaries}/mock-azure", "--listen", f"127.0.0.1:{mock_port}", "--api-key", "cost-azure-key",
                 "--deployment", "*"], stdout=subprocess.DEVNULL))
            wait_for(mock_port)
            gateways = {}
            for usage in (False, True):
                gateways[usage] = gateway(options.binaries, folder, mock_port, usage)
                programs.append(gateways[usage][0])
            found = {False: [], True: []}
            for number in range(options.rounds + 1):
                for usage in ((False, True) if number % 2 == 0 else (True, False)):
                    value = measure(*gateways[usage], options.requests)
                    if number > 0:
                        found[usage].append(value)
            for usage in (False, True):
                print(f"{'with' if usage else 'without'} usage events and a CSV sink: "
                      f"{statistics.median(found[usage]):.1f} us ({min(found[usage]):.1f} to {max(found[usage]):.1f})")
            added = statistics.median(found[True]) - statistics.median(found[False])
            print(f"added: {added:.1f} us of CPU per request")
        finally:
            for program in programs:
                program.kill()
                program.wait()


main()
