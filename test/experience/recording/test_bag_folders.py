from pathlib import Path

from naf_robot.experience.recording.folders import bag_folders, new_bag_folder


def test_each_start_has_a_folder_of_its_own_and_none_of_another_robot(tmp_path: Path):
    names = []
    for _ in range(11):
        folder = new_bag_folder(tmp_path, "left")
        folder.mkdir()
        names.append(folder.name)
    assert names == ["left", *(f"left-{n}" for n in range(2, 12))]
    for other in ("left_1", "left-x", "left-02", "right"):
        (tmp_path / other).mkdir()
    (tmp_path / "left-99").touch()
    assert [folder.name for folder in bag_folders(tmp_path, "left")] == names
    assert new_bag_folder(tmp_path, "left_1").name == "left_1-2"
