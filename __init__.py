"""Learned subgrid physics: trained in JAX, proven offline, run inside simulators without Python."""
