"""A latched fault outlives its process."""

import pytest

from naf_robot.arm.control.fault_file import MAX_LENGTH, FaultFile


@pytest.fixture
def file(tmp_path):
    return FaultFile(tmp_path / "faults" / "robot_1.txt")


def test_no_fault_is_no_file(file):
    assert file.read() is None
    file.write("")
    assert file.read() is None


def test_a_fault_is_read_back_until_it_is_cleared(file):
    file.write("contact: too much")
    assert file.read() == "latched before a restart: contact: too much"
    file.write("")
    assert file.read() is None


def test_several_restarts_say_so_once(file):
    file.write("contact: too much")
    for _ in range(3):
        file.write(f"stopped: {file.read()}")
    assert file.read() == "latched before a restart: contact: too much"


def test_a_file_that_is_no_text_is_still_a_fault(file):
    file.write("x")
    file._path.write_bytes(b"\xff" * 10 * MAX_LENGTH)
    assert len(file.read()) < 2 * MAX_LENGTH


def test_a_disk_that_refuses_is_an_error_for_the_caller(tmp_path):
    (tmp_path / "faults").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="faults"):
        FaultFile(tmp_path / "faults" / "robot_1.txt").write("x")
