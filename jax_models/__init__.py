"""Networks, normalisation, training, reinforcement-learning algorithms and export to bundles."""
