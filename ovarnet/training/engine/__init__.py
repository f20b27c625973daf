"""The training loop of every stage: schedule, sampling, checkpoints, logs and dry runs."""
