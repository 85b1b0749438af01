"""Who runs migrations? ``python -m deploy.migrations up|check``, with the addresses from the environment."""

import os
import sys

from deploy.migrations.histories import SCHEMAS, behind, up


def main(arguments: list[str]) -> int:
    """Apply (``up``) or look (``check``: 1 when a schema is behind). 2 for a wrong call or a missing address."""
    if len(arguments) != 1 or arguments[0] not in {"up", "check"}:
        print("usage: python -m deploy.migrations up|check", file=sys.stderr)
        return 2
    names = {schema: f"{schema.upper()}_DATABASE_URL" for schema in SCHEMAS}
    urls = {schema: os.environ.get(name) or os.environ.get("DATABASE_URL", "") for schema, name in names.items()}
    if missing := [names[schema] for schema, url in urls.items() if not url]:
        print(f"no address of a database: set DATABASE_URL, or {', '.join(missing)}", file=sys.stderr)
        return 2
    if arguments[0] == "up":
        up(urls)
    waiting = behind(urls)
    for schema in SCHEMAS:
        current, head = waiting.get(schema, ("", ""))
        print(f"{schema}: {f'at {current}, should be at {head}' if schema in waiting else 'up to date'}")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
