"""Multi-agent reinforcement-learning environments over the simulators."""
