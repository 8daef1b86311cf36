"""Results of the paper for comparison (Gu et al. 2016, Fig. 4, and section VI)."""

PAPER: dict[str, dict[str, object]] = {
    "reach": {
        "success": "100 ± 0 %",
        "episodes_to_100_percent": {"NAF": 3600, "DDPG": 3200, "Linear-NAF": 8000},
        "plus_or_minus": {"NAF": 1000, "DDPG": 700, "Linear-NAF": 3000},
    },
    "door_pull": {
        "success": "100 ± 0 %",
        "episodes_to_100_percent": {"NAF": 6000, "DDPG": 10000},
        "plus_or_minus": {"NAF": 3000, "DDPG": 8000},
        "highest_success": {"Linear-NAF": "5 ± 6 %"},
    },
    "door_push": {
        "success": "100 ± 0 %",
        "episodes_to_100_percent": {"NAF": 4200, "DDPG": 3100},
        "plus_or_minus": {"NAF": 1000, "DDPG": 1000},
        "highest_success": {"Linear-NAF": "40 ± 10 %"},
    },
    "pick_place": {
        "success": "100 ± 0 %",
        "episodes_to_100_percent": {"NAF": 2900, "DDPG": 4400, "Linear-NAF": 12000},
        "plus_or_minus": {"NAF": 900, "DDPG": 600, "Linear-NAF": 3000},
    },
    "door_real": {"success": "20 of 20 consecutive trials", "robots": 2, "hours": 2.5, "updates": 500_000},
}
