"""Reinforcement learning on environments of arrays: small pure pieces, PPO and V-RACER."""
