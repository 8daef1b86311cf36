import subprocess
import sys

import pytest
import torch

from naf_robot.core.errors import ConfigError
from naf_robot.learning.algorithm import AlgorithmSetup
from naf_robot.learning.device import check_device
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.registry import make_algorithm


def test_the_cpu_is_always_there_and_loads_no_torch():
    code = "import sys, naf_robot.learning.device as d; d.check_device('cpu'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cuda:-1", "meta", "", "CPU", "cuda:0\n"])
def test_other_names_are_refused(device):
    with pytest.raises(ConfigError, match="is unknown; valid: cpu, cuda, cuda:0"):
        check_device(device)


def test_a_gpu_that_is_not_there_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"^device 'cuda:1' is not present: torch .* valid here: cpu$"):
        check_device("cuda:1")
    setup = AlgorithmSetup(5, 3, 0, ("robot_1",), device="cuda")
    with pytest.raises(ConfigError, match="device 'cuda' is not present"):
        make_algorithm("naf", NafConfig(), setup)


def test_the_number_of_a_gpu_is_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device in ("cuda", "cuda:0", "cuda:1"):
        check_device(device)
    with pytest.raises(ConfigError, match=r"this machine has 2 GPU\(s\); valid here: cpu, cuda, cuda:0, cuda:1"):
        check_device("cuda:2")
