"""The graph: open `workflow.py` first."""
