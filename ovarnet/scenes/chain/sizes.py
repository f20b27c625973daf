"""How much the chain does: words added to the command of each step.

Everything else comes from configs/scenes/*.yaml.
"""

FULL: dict[str, tuple[str, ...]] = {
    "world": (
        "--train",
        "1500",
        "--val",
        "1",
        "--test",
        "300",
        "--captions",
        "1200",
        "--photos",
        "20000",
    ),
    "clip": ("optimisation.iterations=1800",),
    "proposer": ("optimisation.iterations=200",),
    "zero_shot": ("calibration_boxes=2000",),
    "step_one": ("optimisation.iterations=300",),
    "step_two": ("optimisation.iterations=100",),
    "ovarnet": ("optimisation.iterations=300", "distillation.teacher_proposals_per_image=15"),
}
"""Meant for about 10 minutes on 2 quiet cores (11:22 on an AMD EPYC, 2026-11-26); the report says
what it took."""

QUICK: dict[str, tuple[str, ...]] = {
    "world": (
        "--train",
        "150",
        "--val",
        "1",
        "--test",
        "40",
        "--captions",
        "100",
        "--photos",
        "2000",
    ),
    "clip": ("optimisation.iterations=100", "optimisation.warmup=20"),
    "proposer": ("optimisation.iterations=25", "optimisation.warmup=5"),
    "zero_shot": ("calibration_boxes=300",),
    "step_one": ("optimisation.iterations=60", "optimisation.warmup=10", "cached_views=1"),
    "step_two": ("optimisation.iterations=20", "optimisation.warmup=5"),
    "ovarnet": (
        "optimisation.iterations=25",
        "optimisation.warmup=5",
        "distillation.teacher_proposals_per_image=8",
    ),
}
"""Meant for about 2 minutes: shows that every stage runs; its numbers mean nothing."""
