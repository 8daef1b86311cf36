"""Results of the paper for comparison (Gu et al. 2016, Fig. 4, and section VI)."""

PAPER: dict[str, dict[str, object]] = {
    "reach": {"success": "100 ± 0 %", "episodes_to_100_percent": {"NAF": 3600, "DDPG": 3200, "Linear-NAF": 8000}},
    "door_pull": {"success": "100 ± 0 %", "episodes_to_100_percent": {"NAF": 6000, "DDPG": 10000}},
    "door_push": {"success": "100 ± 0 %", "episodes_to_100_percent": {"NAF": 4200, "DDPG": 3100}},
    "door_real": {"success": "20 of 20 consecutive trials", "robots": 2, "hours": 2.5, "updates": 500_000},
}
