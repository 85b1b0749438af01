"""Which parts of the set-up can a person start by hand? ``python -m deploy.local doctor|servers [--servers PROVIDER]``."""

import argparse
import signal
import sys

from deploy.local import doctor, servers


def main(arguments: list[str]) -> int:
    """``doctor`` says what each server would come from; ``servers`` starts both and stays until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=main.__doc__)
    parser.add_argument("command", choices=("doctor", "servers"))
    parser.add_argument("--servers", choices=servers.PROVIDERS, help="take both servers from there and nowhere else")
    given = parser.parse_args(arguments)
    if given.command == "doctor":
        return doctor.main(given.servers)
    try:
        with servers.start(given.servers, durable=True) as running:
            print("\n".join(running.report))
            print(f"PostgreSQL  {running.database_url}")
            print(
                f"RabbitMQ    {running.amqp}  {running.management}  user {running.admin[0]} password {running.admin[1]}"
            )
            print("until Ctrl-C", flush=True)
            ending = {signal.SIGINT, signal.SIGTERM}
            signal.pthread_sigmask(signal.SIG_BLOCK, ending)
            signal.sigwait(ending)
    except servers.NoServers as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
