"""How does each schema come to its present shape? One history per schema, expand only."""
