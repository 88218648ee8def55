from tests.support.ledger import clock, database, demo_file, empty, fresh, ledger, path, postgres, target

__all__ = ["clock", "database", "demo_file", "empty", "fresh", "ledger", "path", "postgres", "target"]
