"""Many invoices of many tenants on RabbitMQ, four worker processes, while things break on the way: the four zeros.

    python benchmarks/rehearsal.py                                            # 500 invoices, 10 tenants, everything
    python benchmarks/rehearsal.py --invoices 200 --tenants 5 --kills 0 --pauses 0 --purges 0 --restarts 0 --restores 0

What breaks is spread over the run by how many invoices are booked, never by the clock; a run is given up only when nothing
has moved for long. A restore brings back a dump that was taken earlier, in turn beneath the running processes and after
stopping them; somebody says `db adopt`, and it goes on. Prints the ledger, read from the vendors' side, and the API calls per
invoice. Exit code 0 when lost, doubled, stuck and unexpected are all 0, 1 when not, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.firing import Fire, endable, prepared
from services import Services


class Rehearsal:
    """One run: everything that breaks has its place among the invoices booked."""

    def __init__(self, fire: Fire, say: Callable[[str], None]) -> None:
        self.fire = fire
        self.say = say
        self.happened: Counter[str] = Counter()
        self._dump = b""

    def go(self, breaks: list[Callable[[], None]]) -> bool:
        """Every invoice is approved at once; the breaks come one after the other. False: nothing moves any more."""
        fire, most = self.fire, self.fire.people.most
        while len(fire.people.papers) < most:
            fire.people.approve()
        fire.people.finish()
        for place, act in enumerate(breaks, 1):
            mark = most * place // (len(breaks) + 1)
            if not fire.until(lambda mark=mark: fire.stage.booked() >= mark, fire.stage.booked):  # type: ignore[misc]
                return False
            self.say(f"{fire.stage.booked()} of {most} booked: {(act.__doc__ or '').strip()}")
            self.happened[act.__name__] += 1
            act()
        return fire.rest()

    def kill(self) -> None:
        """a process is killed"""
        self.fire.strikes.kill()

    def pause(self) -> None:
        """a process stands still for longer than any lease"""
        self.fire.strikes.pause()

    def purge(self) -> None:
        """every queue is purged"""
        self.fire.strikes.purge()

    def restart(self) -> None:
        """PostgreSQL is started anew"""
        self.fire.strikes.restart_postgresql()

    def dump(self) -> None:
        """a dump is taken"""
        self._dump = self.fire.cluster.dump("--format=custom")

    def restore_beneath(self) -> None:
        """the dump is restored beneath the running processes"""
        self._restore()
        self._adopt()

    def restore_stopped(self) -> None:
        """everything is stopped, the dump restored, everything started"""
        self.fire.strikes.stop()
        self._restore()
        self.fire.strikes.start()
        self._adopt()

    def _restore(self) -> None:
        cluster = self.fire.cluster
        cluster.run("dropdb", "--force", cluster.database)
        cluster.run("createdb", cluster.database)
        cluster.run("pg_restore", f"--dbname={cluster.database}", "--exit-on-error", stdin=self._dump)

    def _adopt(self) -> None:
        # A relay has to look first; that nothing is sent meanwhile is what the ledger shows.
        assert self.fire.until(self._off, lambda: None), "nobody has noticed that the database was restored"
        released = self.fire.stage.booked()
        done = self.fire.stage.run("db", "adopt", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        self.say(f"writes were off with {released} booked; adopted")

    def _off(self) -> bool:
        done = self.fire.stage.run("db", "status", "--json")
        return (
            done.returncode in {0, 2}
            and done.stdout.strip() != ""
            and json.loads(done.stdout)["writes"] == "off"
        )


# Registers that polls read; everything else is work for one invoice.
POLLED = ("customers", "products", "worktypes", "travelexpensetypes", "projects", "salescases", "invoices",
          "customer", "inventory", "project", "customerdocument", "customerpayment",
          "contactpersons", "contactcommunications", "addresses", "contact")  # fmt: skip


def per_invoice(calls: Counter[str], invoices: int) -> dict[str, float]:
    """Calls of the work itself by path, per invoice (polls of registers and sign-ins left out)."""
    found = {}
    for key, count in sorted(calls.items()):
        _, _, last = key.rpartition("/v1/")
        if (" GET " in key and last.lower() in POLLED) or "token" in key:
            continue
        found[key] = count / invoices
    return found


def order(rehearsal: Rehearsal, chosen: argparse.Namespace, random: Random) -> list[Callable[[], None]]:
    """All breaks in the order of a seed; before each restore its dump, a few breaks earlier."""
    breaks = [rehearsal.kill] * chosen.kills + [rehearsal.pause] * chosen.pauses
    breaks += [rehearsal.purge] * chosen.purges + [rehearsal.restart] * chosen.restarts
    random.shuffle(breaks)
    for n in range(chosen.restores):
        place = len(breaks) * (n + 1) // (chosen.restores + 1)
        breaks.insert(place, rehearsal.restore_stopped if n % 2 else rehearsal.restore_beneath)
        breaks.insert(max(0, place - 3), rehearsal.dump)
    return breaks


def arguments() -> argparse.Namespace:
    """The command line, with the defaults of a rehearsal that takes minutes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invoices", type=int, default=500, help="how many are approved, all at once (500)")
    parser.add_argument("--tenants", type=int, default=10, help="tenants they belong to (10)")
    parser.add_argument("--kills", type=int, default=10, help="how often a process gets SIGKILL (10)")
    parser.add_argument(
        "--pauses", type=int, default=4, help="how often one is paused beyond every lease (4)"
    )
    parser.add_argument("--purges", type=int, default=4, help="how often all queues are purged (4)")
    parser.add_argument("--restarts", type=int, default=1, help="how often PostgreSQL is started anew (1)")
    parser.add_argument("--restores", type=int, default=1, help="how often an older dump is restored (1)")
    parser.add_argument("--seed", type=int, default=1, help="in which order (1)")
    parser.add_argument(
        "--keep-logs", type=Path, metavar="DIRECTORY", help="the processes' logs are copied here"
    )
    return parser.parse_args()


def main() -> int:
    """Command line; 0 when all four zeros are zero."""
    chosen = arguments()
    endable()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)

    services = Services()
    try:
        with prepared(
            services.rabbitmq(), chosen.seed, say, firms=chosen.tenants, invoices=chosen.invoices, steps=False
        ) as fire:
            say(services.rabbitmq().said)
            try:
                if not fire.meet():
                    say("the registers do not meet")
                    return 1
                fire.stage.calls(reset=True)
                begun = time.monotonic()
                rehearsal = Rehearsal(fire, say)
                came = rehearsal.go(order(rehearsal, chosen, Random(chosen.seed)))
                took, calls, ledger = time.monotonic() - begun, fire.stage.calls(), fire.ledger()
            finally:
                if chosen.keep_logs:
                    shutil.copytree(fire.stage.directory, chosen.keep_logs, dirs_exist_ok=True)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    finally:
        services.stop()
    print(f"\n{ledger}\n{dict(rehearsal.happened)}, struck {dict(fire.strikes.struck)}, {took:.0f} s")
    work = per_invoice(calls, chosen.invoices)
    for key, count in work.items():
        print(f"  {count:5.2f} per invoice  {key}")
    print(f"  {sum(work.values()):5.2f} API calls per invoice besides the shared polls")
    for line in ledger.wrong:
        print(line)
    return 0 if ledger.clean and came else 1


if __name__ == "__main__":
    sys.exit(main())
