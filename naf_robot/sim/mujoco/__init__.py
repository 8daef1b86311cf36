"""The MuJoCo simulator and its scenes. The only place that loads mujoco."""
