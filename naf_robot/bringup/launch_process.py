"""A node's process under `ros2 launch`: the runner's command line, restarts and order of ending."""

import time
from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import EmitEvent, ExecuteProcess, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ShutdownProcess

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.process_exits import ProcessExits, exit_reason
from naf_robot.core import run_files

RESPAWN_DELAY_S = 0.5
ESCALATION_S = 5  # from SIGINT to SIGTERM, and again to SIGKILL
OWN_SESSION = "setpriv --pdeathsig TERM setsid"  # Ctrl-C reaches launch alone; should launch die, the kernel ends it


class NodeProcess(ExecuteProcess):
    """`spec` as a launch action with the very command line of the process runner, and its restarts.

    launch asks all processes to end at once. This one is asked when those of `system` with a lower
    `stop_order` are gone: whoever asks for motion first, the arm last.
    """

    def __init__(self, spec: NodeSpec, system: "list[NodeProcess]") -> None:
        super().__init__(
            cmd=spec.command(),
            prefix=OWN_SESSION,
            name=spec.label.replace("/", "."),
            output="screen",
            sigterm_timeout=str(ESCALATION_S),
            sigkill_timeout=str(ESCALATION_S),
            respawn=spec.restarts > 0,
            respawn_delay=RESPAWN_DELAY_S,
            respawn_max_retries=spec.restarts,
        )
        self.spec = spec
        self._system = system
        system.append(self)

    @property
    def is_running(self) -> bool:
        """Whether it was, or is about to be, started and has not ended."""
        completed = self.get_asyncio_future()
        return completed is not None and not completed.done() and self.return_code is None

    @property
    def must_wait(self) -> bool:
        """Whether others have to end before this one."""
        return any(other.is_running for other in self._system if other.spec.stop_order < self.spec.stop_order)

    def _shutdown_process(self, context: LaunchContext, *, send_sigint: bool) -> Any:
        """Where launch asks a process to end; what is meant for this process alone does not wait."""
        alone = isinstance(context.locals.event, ShutdownProcess)
        if self.is_running and self.must_wait and not alone:
            return None
        return super()._shutdown_process(context, send_sigint=True)


class ExitHandler:
    """Decides, when a process has ended, whether the system ends with it; keeps the reasons of exits."""

    def __init__(
        self, process: NodeProcess, system: list[NodeProcess], exits: ProcessExits, outcome_file: Path
    ) -> None:
        self._spec = process.spec
        self._system = system
        self._exits = exits
        self._outcome_file = outcome_file
        self._born_s = time.monotonic()

    def __call__(self, event: ProcessExited, context: LaunchContext) -> list[EmitEvent]:
        """Called by launch."""
        if context.is_shutdown:
            due = [process for process in self._system if process.is_running and not process.must_wait]
            return [EmitEvent(event=ShutdownProcess(process_matcher=matches_action(process))) for process in due]
        if self._spec.decides and self._outcome_file.exists():
            return [EmitEvent(event=Shutdown(reason=f"{self._spec.label} has ended the run"))]
        uptime_s, self._born_s = time.monotonic() - self._born_s, time.monotonic()
        if self._exits.restart_after_s(self._spec, event.returncode, uptime_s) is not None:
            return []
        return [EmitEvent(event=Shutdown(reason=f"{self._spec.label} {exit_reason(event.returncode)}"))]


def system_actions(specs: list[NodeSpec], run_dir: Path) -> list[Any]:
    """The actions that run the processes of `specs`; exits are noted in `run_dir`, where the outcome is awaited."""
    exits = ProcessExits(run_dir / run_files.PROCESS_EXITS)
    system: list[NodeProcess] = []
    for spec in specs:
        NodeProcess(spec, system)
    actions: list[Any] = []
    for process in system:
        handler = ExitHandler(process, system, exits, run_dir / run_files.OUTCOME)
        actions += [RegisterEventHandler(OnProcessExit(target_action=process, on_exit=handler)), process]
    return actions
