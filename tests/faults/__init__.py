"""What happens when parts die, go away, or lie? Real processes, real servers, and the sandbox."""
