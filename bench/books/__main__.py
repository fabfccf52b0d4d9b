"""Do the books agree? Mixed load through several gateways with a real Redis, then they are compared, exchange by exchange.

    python3 -m bench.books --binaries DIR [--seconds N] [--replicas N] [--clients N] [--pause SECONDS] [--kill]

The load has plain and streamed chats, embeddings, responses, deployments that refuse and fail, an endpoint that is down, clients
that leave, streams that end early or without a usage, and with --kill one `kill -9` of a gateway, which is then started again. The
books: what callers saw, the usage events of all gateways (JSON lines), the counters in Redis, and `/mock/stats` of the
stand-in for Azure. For exchanges that completed they must be equal, to the token. What differs is listed by exchange, and must be a
loss that docs/usage.md names, within its bound. Exit status 0 if all holds, 1 if not.
"""

import argparse
import sys
import tempfile
import time

from bench.books.fleet import Fleet
from bench.books.load import Load
from bench.books.verdict import Books, Verdict, sees_tampering


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--pause", type=float, default=0.02, help="mean pause of a caller between two requests")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-books-") as folder:
        fleet = Fleet(options.binaries, options.replicas, options.clients, folder)
        try:
            load = Load(fleet, options.pause)
            killed = None
            if options.kill:
                time.sleep(options.seconds / 2)
                number = options.replicas - 1
                moments = fleet.kill(number)
                fleet.start_gateway(number)
                killed = (number, *moments, time.time())
                time.sleep(options.seconds / 2)
            else:
                time.sleep(options.seconds)
            load.stop()
            fleet.until(lambda: fleet.stats()["requests"]["open"] == 0, "the last requests")
            fleet.stop_gateways()
            # What a sink had not taken when its gateway ended goes out with the next start.
            for number in range(options.replicas):
                fleet.start_gateway(number)
            fleet.stop_gateways()
            books = Books(fleet)
            verdict = Verdict(load, books, killed)
            holds = verdict.compare()
            if holds:
                unseen = sees_tampering(load, books, killed)
                verdict.none(unseen, "the judge sees an event, a token or a row that is missing or too many")
                holds = not unseen
        finally:
            fleet.stop()
    print("the books agree" if holds else "THE BOOKS DO NOT AGREE")
    sys.exit(0 if holds else 1)


main()
