"""A system's processes under `ros2 launch`: nodes of launch_ros with the runner's restarts and order of ending."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch import Action, LaunchContext
from launch.actions import (
    EmitEvent,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessStart, OnShutdown
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ProcessStarted, SignalProcess
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import Parameter, ParameterFile

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.process_exits import ProcessExits, exit_reason
from naf_robot.bringup.stopping import STARVED_S, Account, processor_time_s
from naf_robot.core import run_files
from naf_robot.run.stop_times import STOP_BY_SIGTERM

KILL_FACTOR = 3.0  # reserves that pass before a process is killed, besides the time in which it got no processor
LOOK_S = 0.1  # between looks at a process that was asked to end
OWN_SESSION = f"env --ignore-signal=INT {STOP_BY_SIGTERM}=1 setpriv --pdeathsig TERM setsid"
"""Only launch reacts to Ctrl-C: the processes ignore its SIGINT. If launch ends, the kernel ends them."""

OF_NODES = {"ros_remaps", "global_params"}  # what SetRemap and SetParameter set, for all nodes of their scope
SYSTEMS = "naf_robot_systems"


class NodeProcess(Node):
    """`spec` as a node of launch_ros: SetRemap and SetParameter of a launch file that includes ours reach it.

    Our own nodes are modules that this very Python runs, so that they start wherever the package can be imported.
    `environment` is all that the process gets.
    """

    def __init__(self, spec: NodeSpec, environment: Mapping[str, str], backstop_s: float = 60.0) -> None:
        parameters: list[Parameter | ParameterFile] = [ParameterFile(path) for path in spec.parameter_files]
        for name, value in spec.parameters.items():
            parameters.append(Parameter(name, list(value) if isinstance(value, tuple) else value))
        super().__init__(
            executable=spec.program(),
            arguments=spec.own_arguments(),
            name=spec.name,
            namespace=spec.namespace or None,
            parameters=parameters,
            remappings=list(spec.remappings.items()),
            ros_arguments=["--enclave", spec.enclave] if spec.enclave else None,
            prefix=OWN_SESSION,
            exec_name=spec.label.replace("/", "."),
            env=dict(environment),
            output="screen",
            sigterm_timeout=str(backstop_s),
            sigkill_timeout=str(backstop_s),
        )
        self.spec = spec
        self.started_s: float | None = None
        self.kill_timer: TimerAction | None = None  # there once it was asked to end
        self.account: Account | None = None  # likewise

    @property
    def is_executing(self) -> bool:
        """Whether launch has taken it up and not done with it; what it has not by the shutdown never starts."""
        completed = self.get_asyncio_future()
        return completed is not None and not completed.done()


class LaunchedSystem:
    """Starts the processes of `specs` again as the runner would, and ends them in the runner's order.

    launch asks all processes to end at once. Here a stage is asked when those with a lower `stop_order` have ended:
    whoever asks for motion first, the arm last. When the last system of a launch ends by itself, launch is shut down
    after it.
    """

    def __init__(self, specs: list[NodeSpec], run_dir: Path, environment: Mapping[str, str]) -> None:
        self._exits = ProcessExits(run_dir / run_files.PROCESS_EXITS)
        self._outcome_file = run_dir / run_files.OUTCOME
        self._environment = environment
        stages = len({spec.stop_order for spec in specs})
        self._backstop_s = KILL_FACTOR * sum(spec.stop_within_s for spec in specs) + stages * STARVED_S + 1.0
        self._processes = [NodeProcess(spec, environment, self._backstop_s) for spec in specs]
        self._ended: set[NodeProcess] = set()
        self._stopping: str | None = None  # why
        self._scope: dict[str, Any] = {}  # what the launch file around ours has set for nodes, as remappings

    def actions(self) -> list[Action]:
        """What makes a launch description of it."""
        ours = self._is_ours
        return [
            OpaqueFunction(function=self._enter),
            RegisterEventHandler(OnProcessStart(target_action=ours, on_start=self._on_start)),
            RegisterEventHandler(OnProcessExit(target_action=ours, on_exit=self._on_exit)),
            RegisterEventHandler(OnShutdown(on_shutdown=self._on_shutdown)),
            *self._processes,
        ]

    @property
    def has_ended(self) -> bool:
        """Whether it was ended and none of its processes runs any more."""
        return self._stopping is not None and not self._running()

    def _enter(self, context: LaunchContext) -> None:
        known = context.launch_configurations
        self._scope = {name: list(known[name]) for name in OF_NODES if name in known}
        _systems(context).append(self)

    def _is_ours(self, action: Action) -> bool:
        return action in self._processes

    def _on_start(self, event: ProcessStarted, context: LaunchContext) -> list[Action]:
        event.action.started_s = time.monotonic()
        return self._stop(context, self._stopping) if self._stopping else []

    def _on_shutdown(self, event: Shutdown, context: LaunchContext) -> list[Action]:
        return self._stop(context, self._stopping or event.reason)

    def _on_exit(self, event: ProcessExited, context: LaunchContext) -> list[Action]:
        """A process has ended: the next one is asked, or it is started again, or the system ends."""
        process: NodeProcess = event.action
        self._ended.add(process)
        if process.kill_timer is not None:
            process.kill_timer.cancel()
        spec, began_s = process.spec, process.started_s
        if self._stopping is not None:
            return self._stop(context, self._stopping)
        if spec.decides and self._outcome_file.exists():
            return self._stop(context, f"{spec.label} has ended the run")
        if spec.once and event.returncode == 0:
            return []
        uptime_s = time.monotonic() - began_s if began_s is not None else 0.0
        delay_s = self._exits.restart_after_s(spec, event.returncode, uptime_s)
        if delay_s is not None:
            return [TimerAction(period=delay_s, actions=[OpaqueFunction(function=self._start_again, args=[spec])])]
        return self._stop(context, f"{spec.label} {exit_reason(event.returncode)}") if spec.required else []

    def _start_again(self, context: LaunchContext, spec: NodeSpec) -> list[Action]:
        """The process once more, in the scope of the first: that of a GroupAction has been left long ago."""
        if self._stopping is not None:
            return []
        self._processes.append(NodeProcess(spec, self._environment, self._backstop_s))
        scope = OpaqueFunction(function=lambda context: context.launch_configurations.update(self._scope))
        return [PushLaunchConfigurations(), scope, self._processes[-1], PopLaunchConfigurations()]

    def _running(self) -> list[NodeProcess]:
        return [process for process in self._processes if process.is_executing and process not in self._ended]

    def _stop(self, context: LaunchContext, reason: str) -> list[Action]:
        """Ask the lowest stage that runs; when none of any system does any more, launch itself may end."""
        self._stopping = reason
        running = self._running()
        if not running:
            over = not context.is_shutdown and all(system.has_ended for system in _systems(context))
            return [EmitEvent(event=Shutdown(reason=reason))] if over else []
        order = min(process.spec.stop_order for process in running)
        due = [p for p in running if p.spec.stop_order == order and p.kill_timer is None and p.started_s is not None]
        return [action for process in due for action in self._ask(process)]

    def _ask(self, process: NodeProcess) -> list[Action]:
        """Signal one process as the runner does, and look whether it ends."""
        pid = process.process_details["pid"]
        process.account = Account(processor_time_s(pid), time.monotonic())
        until_s = time.monotonic() + KILL_FACTOR * process.spec.stop_within_s
        number = signal.SIGINT if process.spec.is_foreign else signal.SIGTERM
        ask = SignalProcess(signal_number=number, process_matcher=matches_action(process))
        return [self._look_again(process, until_s), EmitEvent(event=ask)]

    def _look_again(self, process: NodeProcess, until_s: float) -> TimerAction:
        look = OpaqueFunction(function=self._look, args=[process, until_s])
        process.kill_timer = TimerAction(period=LOOK_S, actions=[look], cancel_on_shutdown=False)
        return process.kill_timer

    def _look(self, context: LaunchContext, process: NodeProcess, until_s: float) -> list[Action]:
        """Kill a process that goes on past `until_s`; time in which it got no processor does not count."""
        if process in self._ended or process.account is None:
            return []
        now_s = time.monotonic()
        process.account.sample(process.process_details["pid"], now_s)
        if now_s <= until_s + min(STARVED_S, process.account.starved_s):
            return [self._look_again(process, until_s)]
        kill = SignalProcess(signal_number="SIGKILL", process_matcher=matches_action(process))
        return [EmitEvent(event=kill)]


def _systems(context: LaunchContext) -> list[LaunchedSystem]:
    """The systems that one launch has started."""
    if SYSTEMS not in context.get_locals_as_dict():
        context.extend_globals({SYSTEMS: []})
    systems: list[LaunchedSystem] = context.get_locals_as_dict()[SYSTEMS]
    return systems


def system_actions(specs: list[NodeSpec], run_dir: Path, environment: Mapping[str, str]) -> list[Any]:
    """The actions that run the processes of `specs`; exits are noted in `run_dir`, where the outcome is awaited."""
    return LaunchedSystem(specs, run_dir, environment).actions()
