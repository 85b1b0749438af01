"""The demo: every part started on this machine, and a tour through what the product does."""
