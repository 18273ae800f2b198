"""The ground: errors, variables, bundle format and file schemas that every language agrees on (no JAX)."""
